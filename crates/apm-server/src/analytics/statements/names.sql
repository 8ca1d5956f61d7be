-- Statements and the words that a search looks at, a line each.
SELECT q.id, q.normalized || char(10) || q.table_name || char(10) || s.name || char(10) || q.instance AS name
FROM service s
CROSS JOIN statement q ON q.service_id = s.id
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
  AND TRUE -- q: statements
  AND (:fingerprint IS NULL OR q.fingerprint = :fingerprint)
