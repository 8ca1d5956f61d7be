-- Groups of errors of the window that are new, that were quiet for a long time before it, or that opened again after
-- somebody resolved or ignored them. Those that are resolved or ignored are left out.
-- ?1 service, ?2 environment ('' is all), ?3 and ?4 first and last bucket, ?5 what was seen first since then is new,
-- ?6 what was seen last before then came back. A merged group has the state of the group that stands for it.
WITH recent AS (
    SELECT g.id,
           s.name AS service,
           s.environment,
           printf('%016x', coalesce(m.merged_into, g.grouping_key)) AS key,
           g.type AS kind,
           g.message,
           g.first_seen,
           t.reopened_in,
           t.reopened_by <> 'time' AND t.reopened >= ?3 * 1000000 AS reopened,
           sum(r.n) * 1.0 AS occurrences,
           (
               SELECT max(p.bucket)
               FROM roll_error p
               WHERE p.level = 600 AND p.group_id = g.id AND p.bucket <= ?3 - 600
           ) AS earlier
    FROM service s
    CROSS JOIN error_group g ON g.service_id = s.id
    LEFT JOIN error_triage m ON m.service = s.name AND m.grouping_key = g.grouping_key
    LEFT JOIN error_triage t ON t.service = s.name AND t.grouping_key = coalesce(m.merged_into, g.grouping_key)
    CROSS JOIN roll_error r ON r.level = 60 AND r.group_id = g.id AND r.bucket BETWEEN ?3 AND ?4
    WHERE (?1 = '' OR s.name = ?1)
      AND (?2 = '' OR s.environment = ?2)
      AND coalesce(t.status, 0) = 0
    GROUP BY g.id
)
SELECT service, environment, key, kind, message, earlier, coalesce(reopened, 0) AS reopened,
       coalesce(reopened_in, '') AS reopened_in, occurrences
FROM recent
WHERE (earlier IS NULL AND first_seen >= ?5) OR earlier + 600 < ?6 OR reopened
ORDER BY occurrences DESC
LIMIT 1000
