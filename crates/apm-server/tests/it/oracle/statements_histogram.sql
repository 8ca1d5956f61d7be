-- Percentiles of each statement as histogram bins; a bin stands for 2 * 1.02^bin / 2.02 µs.
-- The key is service, tab, instance, tab, subtype, tab, fingerprint.
WITH slice (level, start, stop) AS (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:slices)
),
bins AS (
    SELECT s.name || char(9) || q.instance || char(9) || q.subtype || char(9) || q.fingerprint AS key,
           r.bin,
           sum(r.count) AS count
    FROM slice
    CROSS JOIN service s
    CROSS JOIN statement q ON q.service_id = s.id
    CROSS JOIN roll_statement_hist r
        ON r.level = slice.level AND r.statement_id = q.id AND r.bucket >= slice.start AND r.bucket < slice.stop
    WHERE (:service IS NULL OR s.name = :service)
      AND (:environment IS NULL OR s.environment = :environment)
      AND TRUE -- q: statements
      AND (:fingerprint IS NULL OR q.fingerprint = :fingerprint)
    GROUP BY 1, 2
)
SELECT key,
       0 AS bucket,
       min(bin * 1.0) FILTER (WHERE upto >= 0.50 * total) AS p50,
       min(bin * 1.0) FILTER (WHERE upto >= 0.95 * total) AS p95,
       min(bin * 1.0) FILTER (WHERE upto >= 0.99 * total) AS p99
FROM (
    SELECT key,
           bin,
           sum(count) OVER (PARTITION BY key ORDER BY bin) AS upto,
           sum(count) OVER (PARTITION BY key) - 1e-9 AS total
    FROM bins
)
GROUP BY key
