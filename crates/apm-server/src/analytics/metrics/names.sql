-- Metrics of a service with a sample in the window.
SELECT DISTINCT n.name
FROM service s
CROSS JOIN metric_name n
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
  AND TRUE -- q: metrics
  AND EXISTS (
      SELECT 1 FROM metric_sample m WHERE m.service_id = s.id AND m.name_id = n.id AND m.ts >= :from AND m.ts < :to
  )
ORDER BY n.name
