-- Services whose metrics are shown.
SELECT s.id
FROM service s
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
  AND TRUE -- q: metrics
