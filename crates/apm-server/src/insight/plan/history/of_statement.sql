-- The newest plan that agents sent of a statement, on the database that it runs on.
SELECT p.plan, p.schema_version
FROM statement q
CROSS JOIN service s ON s.id = q.service_id
CROSS JOIN statement_plan p
    ON p.fingerprint = q.fingerprint AND p.service = s.name AND p.environment = s.environment
    AND p.instance = q.instance
WHERE q.id = :statement
ORDER BY p.id DESC
LIMIT 1
