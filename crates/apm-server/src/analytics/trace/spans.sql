-- Spans of one trace, at most :most. trace_at says in which blocks they are: a probe for each segment of 2^17 events.
-- Ids that spans of a block share are in span_trace, as in the view `span`; here one look-up serves all of them.
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
SELECT p.seq,
       p.id,
       CASE WHEN p.parent_id IS NULL AND p.trace_id = x'' THEN t.transaction_id ELSE p.parent_id END AS parent_id,
       CASE p.trace_id WHEN x'' THEN t.transaction_id ELSE p.transaction_id END AS transaction_id,
       p.ts,
       p.duration,
       p.group_id,
       p.destination_id,
       p.statement_id,
       NULL AS result_id,
       p.outcome,
       p.status,
       1 AS sampled,
       p.composite_count AS first,
       p.composite_sum AS second,
       p.scan_steps
FROM place
CROSS JOIN span_row p ON p.seq >= place.first AND p.seq < place.first + 128
LEFT JOIN span_trace t ON p.trace_id = x'' AND t.id = place.first + p.transaction_id
WHERE CASE p.trace_id WHEN x'' THEN t.trace_id ELSE p.trace_id END = :trace
LIMIT +:most
