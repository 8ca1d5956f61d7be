-- Occurrences of each error group by chart bucket (seconds since 1970).
WITH slice (level, start, stop) AS (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:series)
)
SELECT s.name AS service,
       coalesce(m.merged_into, g.grouping_key) AS grouping_key,
       r.bucket / :interval * :interval AS bucket,
       sum(r.n) AS n
FROM slice
CROSS JOIN service s
CROSS JOIN error_group g ON g.service_id = s.id
LEFT JOIN error_triage m ON m.service = s.name AND m.grouping_key = g.grouping_key
LEFT JOIN error_triage t ON t.service = s.name AND t.grouping_key = coalesce(m.merged_into, g.grouping_key)
CROSS JOIN roll_error r
    ON r.level = slice.level AND r.group_id = g.id AND r.bucket >= slice.start AND r.bucket < slice.stop
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
  AND TRUE -- q: errors
  AND (:key IS NULL OR coalesce(m.merged_into, g.grouping_key) = :key)
  AND (:status IS NULL OR coalesce(t.status, 0) = :status)
GROUP BY 1, 2, 3
