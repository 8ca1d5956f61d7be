-- Statements of a fingerprint.
SELECT q.id, q.service_id, q.table_name
FROM statement q
JOIN service s ON s.id = q.service_id
WHERE q.fingerprint = :fingerprint
  AND (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
LIMIT 20
