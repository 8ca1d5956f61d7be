-- INSERTs into the table by minute; at: seconds.
SELECT r.bucket AS at, sum(r.count) AS value
FROM statement q
CROSS JOIN roll_statement r
    ON r.level = 60 AND r.statement_id = q.id AND r.bucket >= :from AND r.bucket < :to AND r.outcome <> 0
WHERE q.service_id = :service AND q.verb IN ('INSERT', 'REPLACE') AND q.table_name = :table
GROUP BY r.bucket
ORDER BY r.bucket
