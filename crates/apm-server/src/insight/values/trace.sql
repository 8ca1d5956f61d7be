-- Calls of a statement in one trace. trace_at says in which blocks the trace is, so that the other calls of a statement
-- that runs all the time are not looked at. Ids that spans of a block share are in span_trace, as in the view `span`.
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
SELECT p.seq
FROM place
CROSS JOIN span_row p ON p.seq >= place.first AND p.seq < place.first + 128
LEFT JOIN span_trace t ON p.trace_id = x'' AND t.id = place.first + p.transaction_id
WHERE +p.statement_id = :statement
  AND CASE p.trace_id WHEN x'' THEN t.trace_id ELSE p.trace_id END = :trace
LIMIT +:limit
