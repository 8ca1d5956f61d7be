-- Errors of one trace by time, at most :most.
-- The `+` keeps SQLite from reading the whole table into an automatic index on trace_id.
WITH RECURSIVE segment (number) AS (
    -- Traces that were kept when their blocks went have a segment of their own; the others begin anywhere.
    SELECT -1
    UNION ALL
    SELECT CASE number WHEN -1 THEN (SELECT min(key) >> 40 FROM trace_at WHERE key >= 0) ELSE number + 1 END
    FROM segment
    WHERE number < (SELECT max(key) >> 40 FROM trace_at)
),
place (first) AS MATERIALIZED (
    SELECT a.block * 128 FROM segment CROSS JOIN trace_at a ON a.key = (segment.number << 40) | :bits
)
SELECT e.seq,
       e.id,
       e.parent_id,
       e.transaction_id,
       s.name AS service,
       g.grouping_key,
       g.type,
       substr(g.message, 1, 1000) AS message,
       g.culprit,
       g.handled,
       e.ts
FROM place
CROSS JOIN error e ON e.seq >= place.first AND e.seq < place.first + 128
JOIN error_group g ON g.id = e.group_id
JOIN service s ON s.id = g.service_id
WHERE +e.trace_id = :trace
ORDER BY e.ts, e.seq
LIMIT +:most
