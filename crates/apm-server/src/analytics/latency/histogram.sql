-- Percentiles of each chart bucket as histogram bins; a bin stands for 2 * 1.02^bin / 2.02 µs.
WITH slice (level, start, stop) AS (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:series)
),
bins AS (
    SELECT r.bucket / :interval * :interval AS bucket, r.bin, sum(r.count) AS count
    FROM slice
    CROSS JOIN service s
    CROSS JOIN tx_group g ON g.service_id = s.id
    CROSS JOIN roll_tx_hist r
        ON r.level = slice.level AND r.group_id = g.id AND r.bucket >= slice.start AND r.bucket < slice.stop
    WHERE (:service IS NULL OR s.name = :service)
      AND (:environment IS NULL OR s.environment = :environment)
      AND TRUE -- q: transactions
      AND (:type IS NULL OR g.type = :type)
      AND (:name IS NULL OR g.name = :name)
    GROUP BY 1, 2
)
SELECT '' AS key,
       bucket,
       min(bin * 1.0) FILTER (WHERE upto >= 0.50 * total) AS p50,
       min(bin * 1.0) FILTER (WHERE upto >= 0.95 * total) AS p95,
       min(bin * 1.0) FILTER (WHERE upto >= 0.99 * total) AS p99
FROM (
    SELECT bucket,
           bin,
           sum(count) OVER (PARTITION BY bucket ORDER BY bin) AS upto,
           sum(count) OVER (PARTITION BY bucket) - 1e-9 AS total
    FROM bins
)
GROUP BY bucket
