-- Times that events of the blocks of one trace were sent with, where the time of arrival stands for them.
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
SELECT w.seq, w.sent
FROM place
CROSS JOIN sent_time w ON w.seq >= place.first AND w.seq < place.first + 128
