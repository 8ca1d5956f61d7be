-- Requests by transaction group and the statements that they ran; times in microseconds.
WITH slice (level, start, stop) AS (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:slices)
)
SELECT s.name AS service,
       g.type,
       g.name,
       coalesce(q.fingerprint, 0) AS fingerprint,
       r.statement_id,
       sum(r.requests) AS requests,
       sum(r.calls) AS calls,
       max(r.most) AS most,
       sum(r.sum) AS sum,
       sum(r.tx_sum) AS tx_sum,
       r.trace_id
FROM slice
CROSS JOIN roll_caller r ON r.level = slice.level AND r.bucket >= slice.start AND r.bucket < slice.stop
CROSS JOIN tx_group g ON g.id = r.tx_group_id
CROSS JOIN service s ON s.id = g.service_id
LEFT JOIN statement q ON q.id = r.statement_id
WHERE (:all = 1) = (r.statement_id = 0)
  AND (:fingerprint IS NULL OR q.fingerprint = :fingerprint)
  AND (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
GROUP BY g.id, r.statement_id
ORDER BY sum DESC
LIMIT 1000
