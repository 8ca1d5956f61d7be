-- Occurrences of one error group, newest first.
SELECT e.seq, e.ts
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
ORDER BY e.ts DESC, e.seq DESC
LIMIT 500
