-- Statements and what tells them apart: service, database, kind of database, fingerprint, tabs between them.
SELECT q.id, s.name || char(9) || q.instance || char(9) || q.subtype || char(9) || q.fingerprint AS key
FROM service s
CROSS JOIN statement q ON q.service_id = s.id
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
  AND TRUE -- q: statements
  AND (:fingerprint IS NULL OR q.fingerprint = :fingerprint)
