-- Statements in the order of their texts, of which the beginning decides: upper and lower case are the same.
SELECT q.id
FROM service s
CROSS JOIN statement q ON q.service_id = s.id
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
  AND TRUE -- q: statements
  AND (:fingerprint IS NULL OR q.fingerprint = :fingerprint)
ORDER BY lower(substr(q.normalized, 1, 256)), q.id
