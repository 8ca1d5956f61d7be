-- The newest versions in which a group occurred, with those that were merged into it.
SELECT v.version, min(v.first_ts) AS first, max(v.last_ts) AS last, sum(v.occurrences) AS occurrences
FROM service s
JOIN error_group g
    ON g.service_id = s.id AND g.grouping_key IN (
        SELECT :key
        UNION
        SELECT m.grouping_key FROM error_triage m WHERE m.service = s.name AND m.merged_into = :key
    )
JOIN error_version v ON v.group_id = g.id
WHERE s.name = :service
GROUP BY v.version
ORDER BY first DESC, v.version
LIMIT 20
