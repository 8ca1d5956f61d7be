-- The transactions in which the newest 1000 occurrences of one error group happened.
SELECT x.type, x.name, count(*) AS n
FROM (
    SELECT e.tx_group_id
    FROM service s
    CROSS JOIN error_group g
        ON g.service_id = s.id AND g.grouping_key IN (
            SELECT :key
            UNION
            SELECT m.grouping_key FROM error_triage m WHERE m.service = s.name AND m.merged_into = :key
        )
    CROSS JOIN error e ON e.group_id = g.id AND e.ts >= :from AND e.ts < :to
    WHERE (:service IS NULL OR s.name = :service)
      AND (:environment IS NULL OR s.environment = :environment)
      AND TRUE -- q: errors
    ORDER BY e.ts DESC
    LIMIT 1000
) latest
JOIN tx_group x ON x.id = latest.tx_group_id
GROUP BY x.type, x.name
ORDER BY n DESC, x.name
LIMIT 5
