-- Statements by service, database and fingerprint with what happened in the window; durations in µs.
WITH slice (level, start, stop) AS (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:slices)
)
SELECT s.name AS service,
       q.instance,
       q.subtype,
       q.fingerprint,
       q.normalized,
       q.sample,
       q.verb,
       q.table_name,
       min(q.first_seen) AS first_seen,
       max(q.last_seen) AS last_seen,
       sum(r.count) AS count,
       sum(r.sum) AS sum,
       max(r.max) AS max,
       coalesce(sum(r.count) FILTER (WHERE r.outcome = 0), 0.0) AS failures,
       coalesce(sum(r.count) FILTER (WHERE r.outcome = 1), 0.0) AS successes
FROM slice
CROSS JOIN service s
CROSS JOIN statement q ON q.service_id = s.id
CROSS JOIN roll_statement r
    ON r.level = slice.level AND r.statement_id = q.id AND r.bucket >= slice.start AND r.bucket < slice.stop
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
  AND TRUE -- q: statements
  AND (:fingerprint IS NULL OR q.fingerprint = :fingerprint)
GROUP BY s.name, q.instance, q.subtype, q.fingerprint, q.normalized
ORDER BY sum DESC, q.fingerprint
