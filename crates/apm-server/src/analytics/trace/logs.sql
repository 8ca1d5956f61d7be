-- Log lines of one trace by time, at most :most.
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
SELECT l.seq, l.span_id, l.transaction_id, s.name AS service, l.level, l.ts
FROM place
CROSS JOIN log l ON l.seq >= place.first AND l.seq < place.first + 128
JOIN service s ON s.id = l.service_id
WHERE +l.trace_id = :trace
ORDER BY l.ts, l.seq
LIMIT +:most
