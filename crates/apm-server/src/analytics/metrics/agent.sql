-- The agent of a service, that of the row seen last.
SELECT s.agent_name
FROM service s
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
  AND TRUE -- q: metrics
ORDER BY s.last_seen DESC
LIMIT 1
