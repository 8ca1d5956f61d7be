-- The newest samples of a metric by sender.
SELECT t.resource_id, sum(t.value) AS sum, count(*) AS n
FROM (
    SELECT k.resource_id, m.value
    FROM service s
    CROSS JOIN metric_name n ON n.service_id IN (0, s.id) AND n.name = :metric
    CROSS JOIN metric_sample m ON m.service_id = s.id AND m.name_id = n.id AND m.ts >= :from AND m.ts < :to
    CROSS JOIN metricset k ON k.seq = m.seq
    WHERE (:service IS NULL OR s.name = :service)
      AND (:environment IS NULL OR s.environment = :environment)
      AND m.value IS NOT NULL
    ORDER BY m.ts DESC
    LIMIT +:most
) t
GROUP BY t.resource_id
