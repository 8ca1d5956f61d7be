-- Spans of INSERTs into the table, by slots of :width microseconds; at: microseconds, where the slot ends. Reads the
-- index alone.
SELECT (p.ts / :width + 1) * :width AS at, count(*) * 1.0 AS value
FROM statement q
CROSS JOIN span p ON p.statement_id = q.id AND p.ts >= :first AND p.ts < :last
WHERE q.service_id = :service AND q.verb IN ('INSERT', 'REPLACE') AND q.table_name = :table
GROUP BY p.ts / :width
ORDER BY at
