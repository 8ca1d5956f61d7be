-- Dependencies by resource, with what happened in the window; durations in µs.
WITH slice (level, start, stop) AS (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:slices)
)
SELECT coalesce(nullif(d.resource, ''),
                nullif(trim(d.target_type || '/' || d.target_name, '/'), ''),
                d.span_subtype) AS name,
       CASE WHEN :by_service THEN s.name ELSE '' END AS service,
       max(d.span_type) AS type,
       max(d.span_subtype) AS subtype,
       sum(r.count) AS count,
       sum(r.sum) AS sum,
       max(r.max) AS max,
       coalesce(sum(r.count) FILTER (WHERE r.outcome = 0), 0.0) AS failures,
       coalesce(sum(r.count) FILTER (WHERE r.outcome = 1), 0.0) AS successes
FROM slice
CROSS JOIN service s
CROSS JOIN destination d ON d.service_id = s.id
CROSS JOIN roll_destination r
    ON r.level = slice.level AND r.destination_id = d.id AND r.bucket >= slice.start AND r.bucket < slice.stop
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
  AND TRUE -- q: dependencies
  AND (:dependency IS NULL
       OR :dependency = coalesce(nullif(d.resource, ''),
                                 nullif(trim(d.target_type || '/' || d.target_name, '/'), ''),
                                 d.span_subtype))
GROUP BY 1, 2
ORDER BY sum DESC, 1, 2
