-- Histogram bins of a statement's calls; a bin stands for 2 * 1.02^bin / 2.02 µs.
WITH slice (level, start, stop) AS (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:slices)
)
SELECT r.bin * 1.0 AS value,
       sum(r.count) AS count,
       coalesce(sum(r.count) FILTER (WHERE r.outcome = 0), 0.0) AS failed
FROM slice
CROSS JOIN service s
CROSS JOIN statement q ON q.service_id = s.id AND q.fingerprint = :fingerprint
CROSS JOIN roll_statement_hist r
    ON r.level = slice.level AND r.statement_id = q.id AND r.bucket >= slice.start AND r.bucket < slice.stop
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
  AND TRUE -- q: statements
GROUP BY r.bin
ORDER BY r.bin
