-- Error groups and the words that a search looks at, a line each.
SELECT g.id, coalesce(g.type, '') || char(10) || coalesce(g.message, '') || char(10) || coalesce(g.culprit, '')
           || char(10) || s.name AS name
FROM service s
CROSS JOIN error_group g ON g.service_id = s.id
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
  AND TRUE -- q: errors
