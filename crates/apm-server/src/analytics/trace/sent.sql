-- Times that events of the blocks of one trace were sent with, where the time of arrival stands for them.
WITH RECURSIVE segment (number) AS (
    SELECT min(key) >> 40 FROM trace_at
    UNION ALL
    SELECT number + 1 FROM segment WHERE number < (SELECT max(key) >> 40 FROM trace_at)
),
place (first) AS MATERIALIZED (
    SELECT a.block * 128 FROM segment CROSS JOIN trace_at a ON a.key = (segment.number << 40) | :bits
)
SELECT w.seq, w.sent
FROM place
CROSS JOIN sent_time w ON w.seq >= place.first AND w.seq < place.first + 128
