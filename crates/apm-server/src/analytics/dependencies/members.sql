-- Destinations and what they are called, a tab, and the caller where callers are told apart.
SELECT d.id,
       coalesce(nullif(d.resource, ''), nullif(trim(d.target_type || '/' || d.target_name, '/'), ''), d.span_subtype)
           || char(9) || CASE WHEN :by_service THEN s.name ELSE '' END AS key
FROM service s
CROSS JOIN destination d ON d.service_id = s.id
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
  AND TRUE -- q: dependencies
  AND (:dependency IS NULL
       OR :dependency = coalesce(
           nullif(d.resource, ''),
           nullif(trim(d.target_type || '/' || d.target_name, '/'), ''),
           d.span_subtype
       ))
