-- Statements that were run, by arrival; times in microseconds.
SELECT transaction_id,
       statement_id,
       ts,
       coalesce(composite_count, 1) AS calls,
       coalesce(composite_sum, duration) AS total
FROM span
WHERE seq > :from AND seq <= :to AND statement_id IS NOT NULL AND transaction_id IS NOT NULL
