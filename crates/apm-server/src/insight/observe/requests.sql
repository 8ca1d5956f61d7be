-- Requests whose spans were recorded, by arrival.
SELECT seq, id, trace_id, group_id, ts, duration
FROM tx
WHERE seq > :from AND seq <= :to AND sampled = 1
