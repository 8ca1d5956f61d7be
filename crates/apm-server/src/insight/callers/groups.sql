-- Transaction groups of a service and an environment.
SELECT g.id
FROM service s
CROSS JOIN tx_group g ON g.service_id = s.id
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
