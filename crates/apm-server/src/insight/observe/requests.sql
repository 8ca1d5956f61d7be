-- Requests whose spans were recorded, by arrival. For the gate (:complete) also how many spans the agent sent of each,
-- where it counts what it sends: the Rust agent counts spans that it folded into one as one.
SELECT t.seq,
       t.id,
       t.trace_id,
       t.group_id,
       (SELECT g.service_id FROM tx_group g WHERE g.id = t.group_id) AS service_id,
       t.ts,
       t.duration,
       coalesce(t.spans_dropped, 0) AS dropped,
       CASE :complete
           WHEN 1 THEN coalesce((SELECT t.spans_started
                                 FROM tx_group g
                                 CROSS JOIN service s ON s.id = g.service_id AND s.agent_name = 'rust'
                                 WHERE g.id = t.group_id), 0)
           ELSE 0
       END AS sent
FROM tx t
WHERE t.seq > :from AND t.seq <= :to AND t.sampled = 1
