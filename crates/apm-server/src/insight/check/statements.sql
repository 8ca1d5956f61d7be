-- Statements that ran since a time, most time first: calls that did not fail, and what SQLite counted of them.
SELECT q.id,
       q.service_id,
       q.normalized,
       q.verb,
       q.table_name,
       coalesce(sum(r.count) FILTER (WHERE r.outcome <> 0), 0.0) AS calls,
       (SELECT coalesce(sum(c.measured), 0.0)
        FROM roll_statement_cost c
        WHERE c.level = 60 AND c.statement_id = q.id AND c.bucket >= :from) AS measured,
       (SELECT coalesce(max(c.steps_max), 0)
        FROM roll_statement_cost c
        WHERE c.level = 60 AND c.statement_id = q.id AND c.bucket >= :from) AS steps_max,
       (SELECT coalesce(sum(c.scan_steps), 0.0)
        FROM roll_statement_cost c
        WHERE c.level = 60 AND c.statement_id = q.id AND c.bucket >= :from) AS scan_steps
FROM service s
CROSS JOIN statement q
    ON q.service_id = s.id AND q.verb IN ('SELECT', 'UPDATE', 'DELETE', 'INSERT', 'REPLACE', 'WITH')
CROSS JOIN roll_statement r ON r.level = 60 AND r.statement_id = q.id AND r.bucket >= :from
WHERE :service IS NULL OR s.name = :service
GROUP BY q.id
ORDER BY sum(r.sum) DESC, q.id
