-- Statements of a fingerprint, of a service and an environment.
SELECT q.id
FROM statement q
JOIN service s ON s.id = q.service_id
WHERE q.fingerprint = :fingerprint
  AND (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
