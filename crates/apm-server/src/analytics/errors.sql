-- The most frequent error groups without the :first ones, with what happened in the window, latest (µs since 1970)
-- first; groups and everything are of all of them.
WITH slice (level, start, stop) AS (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:slices)
),
counted AS (
    SELECT g.id, sum(r.n) AS occurrences
    FROM slice
    CROSS JOIN service s
    CROSS JOIN error_group g ON g.service_id = s.id
    CROSS JOIN roll_error r
        ON r.level = slice.level AND r.group_id = g.id AND r.bucket >= slice.start AND r.bucket < slice.stop
    WHERE (:service IS NULL OR s.name = :service)
      AND (:environment IS NULL OR s.environment = :environment)
      AND TRUE -- q: errors
      AND (:key IS NULL OR g.grouping_key = :key)
    GROUP BY g.id
),
grouped AS (
    SELECT s.name AS service,
           g.grouping_key,
           g.type,
           g.message,
           g.culprit,
           g.handled,
           sum(c.occurrences) AS occurrences,
           min(g.first_seen) AS first_seen,
           count(*) OVER () AS groups,
           sum(sum(c.occurrences)) OVER () AS everything,
           max((SELECT max(e.ts) FROM error e WHERE e.group_id = g.id AND e.ts >= :from AND e.ts < :to)) AS latest
    FROM counted c
    JOIN error_group g ON g.id = c.id
    JOIN service s ON s.id = g.service_id
    GROUP BY s.name, g.grouping_key
    ORDER BY occurrences DESC, s.name, g.grouping_key
    LIMIT :most OFFSET :first
)
SELECT *
FROM grouped
ORDER BY latest DESC, grouping_key
