-- Statements that ran since a time, most time first.
SELECT q.id, q.service_id, q.normalized, q.verb, q.table_name
FROM service s
CROSS JOIN statement q ON q.service_id = s.id AND q.verb IN ('SELECT', 'UPDATE', 'DELETE') AND q.table_name <> ''
CROSS JOIN roll_statement r ON r.level = 60 AND r.statement_id = q.id AND r.bucket >= :from
WHERE :service IS NULL OR s.name = :service
GROUP BY q.id
ORDER BY sum(r.sum) DESC
LIMIT +:limit
