-- The newest plan of a statement on a database that its agent sent since a time (seconds), be it once more.
SELECT plan, schema_version
FROM statement_plan
WHERE fingerprint = :fingerprint AND service = :service AND environment = :environment AND instance = :instance
  AND last_seen >= :since
ORDER BY id DESC
LIMIT 1
