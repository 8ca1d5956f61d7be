-- Services whose metrics are shown, and whose names those are: old names belong to no service, which is owner 0.
SELECT s.id, o.value AS owner
FROM service s
CROSS JOIN json_each(json_array(0, s.id)) o
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
  AND TRUE -- q: metrics
  AND EXISTS (SELECT 1 FROM metric_name n WHERE n.service_id = o.value)
