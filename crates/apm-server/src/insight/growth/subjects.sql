-- Statements of a fingerprint.
SELECT q.id, q.service_id, q.table_name, q.normalized
FROM service s
CROSS JOIN statement q ON q.service_id = s.id AND q.fingerprint = :fingerprint
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
LIMIT 20
