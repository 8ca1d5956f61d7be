-- Statements that were run, by arrival; times in microseconds. What was folded into a span named after its target is of
-- several kinds. Steps are NULL where they were not measured. As in the view `span`, `span_trace` has the transaction
-- that spans of a block share; the condition needs the row alone.
SELECT CASE p.trace_id
           WHEN x'' THEN (SELECT t.transaction_id FROM span_trace t WHERE t.id = p.seq / 128 * 128 + p.transaction_id)
           ELSE p.transaction_id
       END AS transaction_id,
       p.statement_id,
       p.ts,
       coalesce(p.composite_count, 1) AS calls,
       coalesce(p.composite_sum, p.duration) AS total,
       p.outcome = 0 AS failed, -- see `outcome_code`
       p.composite_count IS NULL
           OR (SELECT g.name NOT LIKE 'Calls to %' FROM span_group g WHERE g.id = p.group_id) IS NOT 0 AS of_one_kind,
       p.steps,
       p.scan_steps
FROM span_row p
WHERE p.seq > :from AND p.seq <= :to AND p.statement_id IS NOT NULL AND p.transaction_id IS NOT NULL
