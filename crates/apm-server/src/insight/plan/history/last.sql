-- The newest plan of a statement.
SELECT id, service, environment, instance, fingerprint, version, plan, schema_version, first_seen, last_seen
FROM statement_plan
WHERE fingerprint = :fingerprint AND service = :service AND environment = :environment AND instance = :instance
ORDER BY id DESC
LIMIT 1
