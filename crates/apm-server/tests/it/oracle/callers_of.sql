-- Requests by transaction group that ran one statement, or all of them (statement_id 0); times in microseconds.
WITH slice (level, start, stop) AS (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:slices)
),
wanted (id) AS (
    SELECT 0 WHERE :fingerprint IS NULL
    UNION ALL
    SELECT id FROM statement WHERE fingerprint = :fingerprint
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
CROSS JOIN wanted
CROSS JOIN roll_caller r INDEXED BY roll_caller_statement
    ON r.level = slice.level AND r.statement_id = wanted.id AND r.bucket >= slice.start AND r.bucket < slice.stop
CROSS JOIN tx_group g ON g.id = r.tx_group_id
CROSS JOIN service s ON s.id = g.service_id
LEFT JOIN statement q ON q.id = r.statement_id
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
GROUP BY g.id, r.statement_id
ORDER BY sum DESC
LIMIT 1000
