-- INSERTs into the table before the range; at is of no use. :from is a full hour.
SELECT 0 AS at, coalesce(sum(r.count), 0.0) AS value
FROM statement q
CROSS JOIN roll_statement r ON r.level = 3600 AND r.statement_id = q.id AND r.bucket < :from AND r.outcome <> 0
WHERE q.service_id = :service AND q.verb IN ('INSERT', 'REPLACE') AND q.table_name = :table
