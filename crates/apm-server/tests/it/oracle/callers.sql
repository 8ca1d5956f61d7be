-- Requests by transaction group and the statements that they ran; times in microseconds.
WITH slice (level, start, stop) AS (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:slices)
),
used AS (
    SELECT r.tx_group_id,
           r.statement_id,
           sum(r.requests) AS requests,
           sum(r.calls) AS calls,
           max(r.most) AS most,
           sum(r.sum) AS sum,
           sum(r.tx_sum) AS tx_sum,
           r.trace_id
    FROM slice
    CROSS JOIN roll_caller r ON r.level = slice.level AND r.bucket >= slice.start AND r.bucket < slice.stop
    WHERE r.statement_id <> 0
    GROUP BY r.tx_group_id, r.statement_id
)
SELECT s.name AS service,
       g.type,
       g.name,
       coalesce(q.fingerprint, 0) AS fingerprint,
       u.statement_id,
       u.requests,
       u.calls,
       u.most,
       u.sum,
       u.tx_sum,
       u.trace_id
FROM used u
CROSS JOIN tx_group g ON g.id = u.tx_group_id
CROSS JOIN service s ON s.id = g.service_id
LEFT JOIN statement q ON q.id = u.statement_id
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
ORDER BY u.sum DESC
LIMIT 1000
