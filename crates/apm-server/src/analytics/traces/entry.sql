-- The entry of a trace: the first of its transactions without a parent, else the first of all. trace_at says in which
-- blocks they are.
WITH RECURSIVE segment (number) AS (
    SELECT min(key) >> 40 FROM trace_at
    UNION ALL
    SELECT number + 1 FROM segment WHERE number < (SELECT max(key) >> 40 FROM trace_at)
),
place (first) AS MATERIALIZED (
    SELECT a.block * 128 FROM segment CROSS JOIN trace_at a ON a.key = (segment.number << 40) | :bits
)
SELECT t.ts, t.seq, t.duration, t.outcome = 0 AS failed, t.parent_id IS NOT NULL AS has_parent
FROM place
CROSS JOIN tx t ON t.seq >= place.first AND t.seq < place.first + 128
WHERE +t.trace_id = :trace
ORDER BY t.parent_id IS NOT NULL, t.ts, t.seq
LIMIT 1
