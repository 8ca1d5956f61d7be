-- Percentiles of each transaction group by nearest rank over its transactions. The key is type, tab, name.
SELECT key,
       0 AS bucket,
       min(duration * 1.0) FILTER (WHERE place >= 0.50 * total) AS p50,
       min(duration * 1.0) FILTER (WHERE place >= 0.95 * total) AS p95,
       min(duration * 1.0) FILTER (WHERE place >= 0.99 * total) AS p99
FROM (
    SELECT g.type || char(9) || g.name AS key,
           t.duration,
           row_number() OVER (PARTITION BY g.type, g.name ORDER BY t.duration) AS place,
           count(*) OVER (PARTITION BY g.type, g.name) AS total
    FROM service s
    CROSS JOIN tx_group g ON g.service_id = s.id
    CROSS JOIN tx t ON t.group_id = g.id AND t.ts >= :from AND t.ts < :to
    WHERE (:service IS NULL OR s.name = :service)
      AND (:environment IS NULL OR s.environment = :environment)
      AND (:type IS NULL OR g.type = :type)
      AND (:name IS NULL OR g.name = :name)
)
GROUP BY key
