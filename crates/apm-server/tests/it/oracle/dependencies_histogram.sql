-- Percentiles of each dependency as histogram bins; a bin stands for 2 * 1.02^bin / 2.02 µs.
-- The key is name, tab, service.
WITH slice (level, start, stop) AS (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:slices)
),
bins AS (
    SELECT coalesce(nullif(d.resource, ''),
                    nullif(trim(d.target_type || '/' || d.target_name, '/'), ''),
                    d.span_subtype)
               || char(9) || CASE WHEN :by_service THEN s.name ELSE '' END AS key,
           r.bin,
           sum(r.count) AS count
    FROM slice
    CROSS JOIN service s
    CROSS JOIN destination d ON d.service_id = s.id
    CROSS JOIN roll_destination_hist r
        ON r.level = slice.level AND r.destination_id = d.id AND r.bucket >= slice.start AND r.bucket < slice.stop
    WHERE (:service IS NULL OR s.name = :service)
      AND (:environment IS NULL OR s.environment = :environment)
      AND TRUE -- q: dependencies
      AND (:dependency IS NULL
           OR :dependency = coalesce(nullif(d.resource, ''),
                                     nullif(trim(d.target_type || '/' || d.target_name, '/'), ''),
                                     d.span_subtype))
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
