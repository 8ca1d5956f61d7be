-- A plan that a statement had in a version of its service.
SELECT id
FROM statement_plan
WHERE fingerprint = :fingerprint AND service = :service AND environment = :environment AND instance = :instance
  AND version = :version AND plan = :plan
ORDER BY id DESC
LIMIT 1
