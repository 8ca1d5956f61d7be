-- Services and their environments.
SELECT name, environment
FROM service
WHERE (:service IS NULL OR name = :service)
  AND (:environment IS NULL OR environment = :environment)
ORDER BY last_seen DESC, id
LIMIT +:limit
