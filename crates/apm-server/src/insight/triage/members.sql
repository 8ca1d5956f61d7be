-- The groups that were merged into a group.
SELECT printf('%016x', m.grouping_key) AS key,
       coalesce(max(g.type), '') AS type,
       coalesce(max(g.message), '') AS message
FROM error_triage m
LEFT JOIN service s ON s.name = m.service
LEFT JOIN error_group g ON g.service_id = s.id AND g.grouping_key = m.grouping_key
WHERE m.service = :service AND m.merged_into = :key
GROUP BY m.grouping_key
ORDER BY m.grouping_key
LIMIT 200
