-- Transaction groups and the services whose they are.
SELECT g.id, s.name AS key
FROM service s
CROSS JOIN tx_group g ON g.service_id = s.id
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
  AND TRUE -- q: transactions
