-- Statements and the services whose they are.
SELECT q.id, s.name AS key
FROM service s
CROSS JOIN statement q ON q.service_id = s.id
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
