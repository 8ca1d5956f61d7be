-- The number of spans of any kind that arrived of each transaction that they name. As in the view `span`, `span_trace`
-- has the transaction that spans of a block share. The condition needs the row alone.
SELECT CASE p.trace_id
           WHEN x'' THEN (SELECT t.transaction_id FROM span_trace t WHERE t.id = p.seq / 128 * 128 + p.transaction_id)
           ELSE p.transaction_id
       END AS transaction_id,
       count(*) AS spans
FROM span_row p
WHERE p.seq > :from AND p.seq <= :to AND p.transaction_id IS NOT NULL
GROUP BY 1
