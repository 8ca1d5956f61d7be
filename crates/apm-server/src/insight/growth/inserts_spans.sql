-- Single INSERTs into the table by time; at: microseconds.
SELECT p.ts AS at, coalesce(p.composite_count, 1) * 1.0 AS value
FROM statement q
CROSS JOIN span p ON p.statement_id = q.id AND p.ts >= :from * 1000000 AND p.ts < :to * 1000000 AND p.outcome <> 0
WHERE q.service_id = :service AND q.verb IN ('INSERT', 'REPLACE') AND q.table_name = :table
ORDER BY p.ts
LIMIT :limit
