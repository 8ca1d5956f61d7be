-- Transactions of one trace, at most :most. trace_at says in which blocks they are: a probe for each segment of 2^17
-- events. The `+` keeps SQLite from reading the whole table into an automatic index on trace_id.
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
SELECT t.seq,
       t.id,
       t.parent_id,
       NULL AS transaction_id,
       t.ts,
       t.duration,
       t.group_id,
       NULL AS destination_id,
       NULL AS statement_id,
       t.result_id,
       t.outcome,
       t.status,
       t.sampled,
       t.spans_started AS first,
       t.spans_dropped AS second,
       NULL AS scan_steps
FROM place
CROSS JOIN tx t ON t.seq >= place.first AND t.seq < place.first + 128
WHERE +t.trace_id = :trace
LIMIT +:most
