-- Statements and the services whose they are.
SELECT q.id, s.name AS key
FROM service s
CROSS JOIN statement q ON q.service_id = s.id
WHERE :environment IS NULL OR s.environment = :environment
