-- Statements of the requests in the last minutes; statement_id 0: all of them.
SELECT s.name AS service,
       s.environment,
       g.type,
       g.name,
       g.id AS tx_group_id,
       r.statement_id,
       sum(r.requests) AS requests,
       sum(r.calls) AS calls,
       max(r.most) AS most,
       sum(r.sum) AS sum,
       sum(r.tx_sum) AS tx_sum,
       sum(r.follows) AS follows,
       sum(r.looped) AS looped,
       r.trace_id
FROM roll_caller r
CROSS JOIN tx_group g ON g.id = r.tx_group_id
CROSS JOIN service s ON s.id = g.service_id
WHERE r.level = 60 AND r.bucket >= :from
GROUP BY r.tx_group_id, r.statement_id
ORDER BY sum DESC
LIMIT 2000
