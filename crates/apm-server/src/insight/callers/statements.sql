-- Statements of a fingerprint, of a service and an environment.
SELECT q.id
FROM service s
CROSS JOIN statement q ON q.service_id = s.id AND q.fingerprint = :fingerprint
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
