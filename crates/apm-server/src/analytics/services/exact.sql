-- Percentiles of each service by nearest rank over its transactions.
SELECT name AS key,
       0 AS bucket,
       min(duration * 1.0) FILTER (WHERE place >= 0.50 * total) AS p50,
       min(duration * 1.0) FILTER (WHERE place >= 0.95 * total) AS p95,
       min(duration * 1.0) FILTER (WHERE place >= 0.99 * total) AS p99
FROM (
    SELECT s.name,
           t.duration,
           row_number() OVER (PARTITION BY s.name ORDER BY t.duration) AS place,
           count(*) OVER (PARTITION BY s.name) AS total
    FROM service s
    CROSS JOIN tx_group g ON g.service_id = s.id
    CROSS JOIN tx t ON t.group_id = g.id AND t.ts >= :from AND t.ts < :to
    WHERE :environment IS NULL OR s.environment = :environment
)
GROUP BY name
