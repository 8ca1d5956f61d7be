-- Every destination with its caller, its name and its kind.
SELECT d.id,
       s.name AS service,
       coalesce(nullif(d.resource, ''), nullif(trim(d.target_type || '/' || d.target_name, '/'), ''), d.span_subtype)
           AS name,
       d.span_type AS type,
       d.span_subtype AS subtype
FROM service s
CROSS JOIN destination d ON d.service_id = s.id
WHERE (:environment IS NULL OR s.environment = :environment)
  AND TRUE -- q: dependencies
