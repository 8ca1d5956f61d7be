-- Error groups by :rank without the :first ones, with what happened in the window, latest (µs since 1970) first. A
-- group that was merged counts as the one that it was merged into. :ids are the groups that a search found, :keys the
-- only ones that are listed (service, tab, key). The most frequent group of all is there in any case: listed is 0 where
-- it is none of the others. groups is the number of those that were found; everything, unhandled, newest and
-- new are of all groups, whatever is searched for: new ones came after :asked (µs since 1970).
-- There may be very many groups: of all of them there are the numbers, and the text that ranks them; of those that are
-- listed all texts.
WITH slice (level, start, stop) AS (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:slices)
),
happened AS (
    SELECT g.id, sum(r.n) AS occurrences
    FROM slice
    CROSS JOIN service s
    CROSS JOIN error_group g ON g.service_id = s.id
    CROSS JOIN roll_error r
        ON r.level = slice.level AND r.group_id = g.id AND r.bucket >= slice.start AND r.bucket < slice.stop
    WHERE (:service IS NULL OR s.name = :service)
      AND (:environment IS NULL OR s.environment = :environment)
      AND TRUE -- q: errors
    GROUP BY g.id
),
counted AS MATERIALIZED (
    SELECT h.id, s.name AS service, coalesce(m.merged_into, g.grouping_key) AS root, h.occurrences
    FROM happened h
    CROSS JOIN error_group g ON g.id = h.id
    CROSS JOIN service s ON s.id = g.service_id
    LEFT JOIN error_triage m ON m.service = s.name AND m.grouping_key = g.grouping_key
    WHERE :key IS NULL OR coalesce(m.merged_into, g.grouping_key) = :key
),
grouped AS MATERIALIZED (
    SELECT c.service,
           c.root AS grouping_key,
           coalesce(max(g.handled) FILTER (WHERE g.grouping_key = c.root), max(g.handled)) AS handled,
           CASE :rank WHEN 'service' THEN c.service WHEN 'message' THEN coalesce(
               nullif(coalesce(max(g.message) FILTER (WHERE g.grouping_key = c.root), max(g.message)), ''),
               max(g.type) FILTER (WHERE g.grouping_key = c.root),
               max(g.type)
           ) END AS text,
           sum(c.occurrences) AS occurrences,
           min(g.first_seen) AS first_seen,
           max(:ids IS NULL OR g.id IN (SELECT value FROM json_each(:ids))) AS found,
           max((SELECT max(e.ts) FROM error e WHERE e.group_id = g.id AND e.ts >= :from AND e.ts < :to)) AS latest
    FROM counted c
    CROSS JOIN error_group g ON g.id = c.id
    LEFT JOIN error_triage t ON t.service = c.service AND t.grouping_key = c.root
    WHERE :status IS NULL OR coalesce(t.status, 0) = :status
    GROUP BY c.service, c.root
),
frequent AS MATERIALIZED (
    SELECT service, grouping_key
    FROM grouped
    ORDER BY occurrences DESC, latest DESC, service, grouping_key
    LIMIT 1
),
picked AS MATERIALIZED (
    SELECT n.*, 1 AS listed
    FROM grouped n
    WHERE n.found
      AND (:keys IS NULL OR n.service || char(9) || n.grouping_key IN (SELECT value FROM json_each(:keys)))
    ORDER BY CASE :rank WHEN 'last' THEN n.latest WHEN 'first' THEN n.first_seen ELSE n.occurrences END
                 * CASE WHEN :rank IN ('message', 'service') THEN 0 WHEN :descending THEN -1 ELSE 1 END NULLS LAST,
             CASE WHEN NOT :descending THEN n.text END COLLATE NOCASE,
             CASE WHEN :descending THEN n.text END COLLATE NOCASE DESC,
             n.occurrences DESC, n.service, n.grouping_key
    LIMIT +:most OFFSET :first
),
shown AS MATERIALIZED (
    SELECT * FROM picked
    UNION ALL
    SELECT n.*, 0
    FROM grouped n
    WHERE (n.service, n.grouping_key) IN (SELECT service, grouping_key FROM frequent)
      AND (n.service, n.grouping_key) NOT IN (SELECT service, grouping_key FROM picked)
),
figures AS MATERIALIZED (
    SELECT sum(found) AS groups,
           sum(occurrences) AS everything,
           coalesce(sum(occurrences) FILTER (WHERE handled = 0), 0) AS unhandled,
           max(latest) AS newest,
           count(*) FILTER (WHERE first_seen * 1000000 >= :asked) AS new
    FROM grouped
)
SELECT n.service,
       n.grouping_key,
       coalesce(max(g.type) FILTER (WHERE g.grouping_key = n.grouping_key), max(g.type)) AS type,
       coalesce(max(g.message) FILTER (WHERE g.grouping_key = n.grouping_key), max(g.message)) AS message,
       coalesce(max(g.culprit) FILTER (WHERE g.grouping_key = n.grouping_key), max(g.culprit)) AS culprit,
       n.handled,
       json_group_array(DISTINCT s.environment) AS environments,
       n.occurrences,
       n.first_seen,
       n.latest,
       n.listed,
       (n.service, n.grouping_key) IN (SELECT service, grouping_key FROM frequent) AS is_frequent,
       t.status,
       t.assignee,
       t.changed,
       t.until,
       t.until_count,
       t.new_version,
       t.reopened,
       t.reopened_by,
       t.reopened_in,
       f.groups,
       f.everything,
       f.unhandled,
       f.newest,
       f.new
FROM shown n
CROSS JOIN figures f
CROSS JOIN counted c ON c.service = n.service AND c.root = n.grouping_key
CROSS JOIN error_group g ON g.id = c.id
CROSS JOIN service s ON s.id = g.service_id
LEFT JOIN error_triage t ON t.service = n.service AND t.grouping_key = n.grouping_key
GROUP BY n.service, n.grouping_key
ORDER BY n.latest DESC, n.grouping_key
