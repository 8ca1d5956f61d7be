-- The same for the INSERTs into its table.
SELECT count(DISTINCT r.bucket) AS minutes,
       coalesce(sum(r.n), 0) AS n,
       coalesce(sum(r.count) FILTER (WHERE r.outcome <> 0), 0.0) AS calls,
       coalesce(min(r.bucket), 0) * 1000000 AS first,
       (coalesce(max(r.bucket), 0) + 60) * 1000000 AS last
FROM statement q
CROSS JOIN roll_statement r ON r.level = 60 AND r.statement_id = q.id AND r.bucket >= :from AND r.bucket < :to
WHERE q.service_id = :service AND q.verb IN ('INSERT', 'REPLACE') AND q.table_name = :table
