-- The blocks in which events of one trace are, oldest first, and whether the newest block is among them, which may
-- still grow.
WITH RECURSIVE segment (number) AS (
    -- Traces that were kept when their blocks went have a segment of their own; the others begin anywhere.
    SELECT -1
    UNION ALL
    SELECT CASE number WHEN -1 THEN (SELECT min(key) >> 40 FROM trace_at WHERE key >= 0) ELSE number + 1 END
    FROM segment
    WHERE number < (SELECT max(key) >> 40 FROM trace_at)
)
SELECT a.block, coalesce((SELECT b.events FROM block b WHERE b.id = a.block), 0) AS events
FROM segment
CROSS JOIN trace_at a ON a.key = (segment.number << 40) | :bits
ORDER BY a.block
