-- Error groups of a service, each with the version in which it first occurred. With one min(), SQLite takes the other
-- columns from its row.
SELECT printf('%016x', coalesce(m.merged_into, g.grouping_key)) AS key,
       CASE g.message WHEN '' THEN g.type ELSE g.message END AS title,
       v.version,
       min(v.first_ts) AS first
FROM service s
CROSS JOIN error_group g ON g.service_id = s.id
LEFT JOIN error_triage m ON m.service = s.name AND m.grouping_key = g.grouping_key
CROSS JOIN error_version v ON v.group_id = g.id
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
  AND v.version <> ''
GROUP BY coalesce(m.merged_into, g.grouping_key)
ORDER BY first
LIMIT 5000
