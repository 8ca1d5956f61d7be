-- Error groups by :rank without the :first ones, with what happened in the window, latest (µs since 1970) first. A
-- group that was merged counts as the one that it was merged into. :ids are the groups that a search found, :keys the
-- only ones that are listed (service, tab, key). The most frequent group of all is there in any case: listed is 0 where
-- it is none of the others. groups is the number of those that were found; everything, unhandled, newest and
-- new are of all groups, whatever is searched for: new ones came after :asked (µs since 1970).
WITH slice (level, start, stop) AS (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:slices)
),
counted AS (
    SELECT g.id, coalesce(m.merged_into, g.grouping_key) AS root, sum(r.n) AS occurrences
    FROM slice
    CROSS JOIN service s
    CROSS JOIN error_group g ON g.service_id = s.id
    LEFT JOIN error_triage m ON m.service = s.name AND m.grouping_key = g.grouping_key
    CROSS JOIN roll_error r
        ON r.level = slice.level AND r.group_id = g.id AND r.bucket >= slice.start AND r.bucket < slice.stop
    WHERE (:service IS NULL OR s.name = :service)
      AND (:environment IS NULL OR s.environment = :environment)
      AND TRUE -- q: errors
      AND (:key IS NULL OR coalesce(m.merged_into, g.grouping_key) = :key)
    GROUP BY g.id
),
named AS (
    SELECT s.name AS service,
           c.root AS grouping_key,
           coalesce(max(g.type) FILTER (WHERE g.grouping_key = c.root), max(g.type)) AS type,
           coalesce(max(g.message) FILTER (WHERE g.grouping_key = c.root), max(g.message)) AS message,
           coalesce(max(g.culprit) FILTER (WHERE g.grouping_key = c.root), max(g.culprit)) AS culprit,
           coalesce(max(g.handled) FILTER (WHERE g.grouping_key = c.root), max(g.handled)) AS handled,
           json_group_array(DISTINCT s.environment) AS environments,
           sum(c.occurrences) AS occurrences,
           min(g.first_seen) AS first_seen,
           max(:ids IS NULL OR g.id IN (SELECT value FROM json_each(:ids))) AS found,
           max((SELECT max(e.ts) FROM error e WHERE e.group_id = g.id AND e.ts >= :from AND e.ts < :to)) AS latest
    FROM counted c
    JOIN error_group g ON g.id = c.id
    JOIN service s ON s.id = g.service_id
    GROUP BY s.name, c.root
),
grouped AS (
    SELECT n.*,
           t.status,
           t.assignee,
           t.changed,
           t.until,
           t.until_count,
           t.new_version,
           t.reopened,
           t.reopened_by,
           t.reopened_in,
           sum(n.found) OVER () AS groups,
           sum(n.occurrences) OVER () AS everything,
           coalesce(sum(n.occurrences) FILTER (WHERE n.handled = 0) OVER (), 0) AS unhandled,
           max(n.latest) OVER () AS newest,
           count(*) FILTER (WHERE n.first_seen * 1000000 >= :asked) OVER () AS new,
           row_number() OVER (ORDER BY n.occurrences DESC, n.latest DESC, n.service, n.grouping_key) AS frequent
    FROM named n
    LEFT JOIN error_triage t ON t.service = n.service AND t.grouping_key = n.grouping_key
    WHERE :status IS NULL OR coalesce(t.status, 0) = :status
),
picked AS (
    SELECT n.*, 1 AS listed
    FROM grouped n
    WHERE n.found
      AND (:keys IS NULL OR n.service || char(9) || n.grouping_key IN (SELECT value FROM json_each(:keys)))
    ORDER BY CASE :rank WHEN 'last' THEN n.latest WHEN 'first' THEN n.first_seen ELSE n.occurrences END
                 * CASE WHEN :rank IN ('message', 'service') THEN 0 WHEN :descending THEN -1 ELSE 1 END NULLS LAST,
             CASE WHEN :descending THEN NULL WHEN :rank = 'message' THEN coalesce(nullif(n.message, ''), n.type)
                  WHEN :rank = 'service' THEN n.service END COLLATE NOCASE,
             CASE WHEN NOT :descending THEN NULL WHEN :rank = 'message' THEN coalesce(nullif(n.message, ''), n.type)
                  WHEN :rank = 'service' THEN n.service END COLLATE NOCASE DESC,
             n.occurrences DESC, n.service, n.grouping_key
    LIMIT +:most OFFSET :first
)
SELECT * FROM picked
UNION ALL
SELECT *, 0 FROM grouped
WHERE frequent = 1 AND NOT EXISTS (SELECT 1 FROM picked WHERE picked.frequent = 1)
ORDER BY latest DESC, grouping_key
