-- Transaction groups and their types and names, a tab between them.
SELECT g.id, g.type || char(9) || g.name AS key
FROM service s
CROSS JOIN tx_group g ON g.service_id = s.id
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
  AND TRUE -- q: transactions
  AND (:type IS NULL OR g.type = :type)
  AND (:name IS NULL OR g.name = :name)
