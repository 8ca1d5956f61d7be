-- Percentiles of each service as histogram bins; a bin stands for 2 * 1.02^bin / 2.02 µs.
WITH slice (level, start, stop) AS (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:slices)
),
bins AS (
    SELECT s.name, r.bin, sum(r.count) AS count
    FROM slice
    CROSS JOIN service s
    CROSS JOIN tx_group g ON g.service_id = s.id
    CROSS JOIN roll_tx_hist r
        ON r.level = slice.level AND r.group_id = g.id AND r.bucket >= slice.start AND r.bucket < slice.stop
    WHERE (:environment IS NULL OR s.environment = :environment)
      AND TRUE -- q: transactions
    GROUP BY s.name, r.bin
)
SELECT name AS key,
       0 AS bucket,
       min(bin * 1.0) FILTER (WHERE upto >= 0.50 * total) AS p50,
       min(bin * 1.0) FILTER (WHERE upto >= 0.95 * total) AS p95,
       min(bin * 1.0) FILTER (WHERE upto >= 0.99 * total) AS p99
FROM (
    SELECT name,
           bin,
           sum(count) OVER (PARTITION BY name ORDER BY bin) AS upto,
           sum(count) OVER (PARTITION BY name) - 1e-9 AS total
    FROM bins
)
GROUP BY name
