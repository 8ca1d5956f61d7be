-- Occurrences of each error group in buckets of some seconds (since 1970), counted from the events of a short window.
SELECT s.name AS service,
       coalesce(m.merged_into, g.grouping_key) AS grouping_key,
       e.ts / 1000000 / :interval * :interval AS bucket,
       count(*) AS n
FROM service s
CROSS JOIN error_group g ON g.service_id = s.id
LEFT JOIN error_triage m ON m.service = s.name AND m.grouping_key = g.grouping_key
LEFT JOIN error_triage t ON t.service = s.name AND t.grouping_key = coalesce(m.merged_into, g.grouping_key)
CROSS JOIN error e ON e.group_id = g.id AND e.ts >= :from AND e.ts < :to
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
  AND TRUE -- q: errors
  AND (:key IS NULL OR coalesce(m.merged_into, g.grouping_key) = :key)
  AND (:status IS NULL OR coalesce(t.status, 0) = :status)
GROUP BY 1, 2, 3
