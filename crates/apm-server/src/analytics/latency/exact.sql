-- Percentiles of each chart bucket by nearest rank over its transactions.
SELECT '' AS key,
       bucket,
       min(duration * 1.0) FILTER (WHERE place >= 0.50 * total) AS p50,
       min(duration * 1.0) FILTER (WHERE place >= 0.95 * total) AS p95,
       min(duration * 1.0) FILTER (WHERE place >= 0.99 * total) AS p99
FROM (
    SELECT bucket,
           duration,
           row_number() OVER (PARTITION BY bucket ORDER BY duration) AS place,
           count(*) OVER (PARTITION BY bucket) AS total
    FROM (
        SELECT t.ts / 1000000 / :interval * :interval AS bucket, t.duration
        FROM service s
        CROSS JOIN tx_group g ON g.service_id = s.id
        CROSS JOIN tx t ON t.group_id = g.id AND t.ts >= :from AND t.ts < :to
        WHERE (:service IS NULL OR s.name = :service)
          AND (:environment IS NULL OR s.environment = :environment)
          AND (:type IS NULL OR g.type = :type)
          AND (:name IS NULL OR g.name = :name)
    )
)
GROUP BY bucket
