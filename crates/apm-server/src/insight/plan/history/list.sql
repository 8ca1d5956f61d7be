-- The plans of a statement, newest first.
SELECT id, service, environment, instance, fingerprint, version, plan, schema_version, first_seen, last_seen
FROM statement_plan
WHERE fingerprint = :fingerprint
  AND (:service IS NULL OR service = :service)
  AND (:environment IS NULL OR environment = :environment)
ORDER BY id DESC
LIMIT 100
