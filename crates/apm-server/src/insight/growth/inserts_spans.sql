-- Spans of INSERTs into the table, by tenths of a second; at: microseconds, where the tenth ends. Reads the index
-- alone.
SELECT (p.ts / 100000 + 1) * 100000 AS at, count(*) * 1.0 AS value
FROM statement q
CROSS JOIN span p ON p.statement_id = q.id AND p.ts >= :first AND p.ts < :last
WHERE q.service_id = :service AND q.verb IN ('INSERT', 'REPLACE') AND q.table_name = :table
GROUP BY p.ts / 100000
ORDER BY at
