-- Findings: those that hold first, then by severity and by the time they would save.
SELECT id, kind, service, environment, severity, saving, document, first_seen, last_seen, ended, dismissed
FROM finding
WHERE (:service IS NULL OR service = :service)
  AND (:environment IS NULL OR environment = :environment)
  AND (:ended = 1 OR ended IS NULL)
  AND (:dismissed = 1 OR dismissed IS NULL)
  AND (:fingerprint IS NULL OR document ->> '$.evidence.fingerprint' = :fingerprint)
ORDER BY ended IS NOT NULL, severity DESC, saving DESC, id
LIMIT 500
