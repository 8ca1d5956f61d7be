-- Groups of errors of the window that are new, or that were quiet for a long time before it.
-- ?1 service, ?2 environment ('' is all), ?3 and ?4 first and last bucket, ?5 what was seen first since then is new,
-- ?6 what was seen last before then came back.
WITH recent AS (
    SELECT g.id,
           s.name AS service,
           s.environment,
           printf('%016x', g.grouping_key) AS key,
           g.type AS kind,
           g.message,
           g.first_seen,
           sum(r.n) * 1.0 AS occurrences,
           (
               SELECT max(p.bucket)
               FROM roll_error p
               WHERE p.level = 600 AND p.group_id = g.id AND p.bucket <= ?3 - 600
           ) AS earlier
    FROM service s
    CROSS JOIN error_group g ON g.service_id = s.id
    CROSS JOIN roll_error r ON r.level = 60 AND r.group_id = g.id AND r.bucket BETWEEN ?3 AND ?4
    WHERE (?1 = '' OR s.name = ?1)
      AND (?2 = '' OR s.environment = ?2)
    GROUP BY g.id
)
SELECT service, environment, key, kind, message, earlier, occurrences
FROM recent
WHERE (earlier IS NULL AND first_seen >= ?5) OR earlier + 600 < ?6
ORDER BY occurrences DESC
LIMIT 1000
