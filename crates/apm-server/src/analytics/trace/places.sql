-- The blocks in which events of one trace are, oldest first, and whether the newest block is among them, which may
-- still grow.
WITH RECURSIVE segment (number) AS (
    SELECT min(key) >> 40 FROM trace_at
    UNION ALL
    SELECT number + 1 FROM segment WHERE number < (SELECT max(key) >> 40 FROM trace_at)
)
SELECT a.block, coalesce((SELECT b.events FROM block b WHERE b.id = a.block), 0) AS events
FROM segment
CROSS JOIN trace_at a ON a.key = (segment.number << 40) | :bits
ORDER BY a.block
