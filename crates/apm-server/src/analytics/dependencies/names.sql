-- Destinations and the words that a search looks at, a line each: their names, their callers, the kind of their calls.
SELECT d.id,
       coalesce(nullif(d.resource, ''), nullif(trim(d.target_type || '/' || d.target_name, '/'), ''), d.span_subtype)
           || char(10) || CASE WHEN :by_service THEN s.name ELSE '' END || char(10) || d.span_type AS name
FROM service s
CROSS JOIN destination d ON d.service_id = s.id
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
  AND TRUE -- q: dependencies
