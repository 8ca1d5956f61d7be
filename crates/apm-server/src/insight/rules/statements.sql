-- The statements that took most time in the last minutes.
SELECT q.id,
       q.service_id,
       s.name AS service,
       s.environment,
       q.subtype,
       q.fingerprint,
       q.normalized,
       q.sample,
       q.verb,
       q.table_name,
       q.first_seen,
       sum(r.count) AS count,
       sum(r.sum) AS sum
FROM service s
CROSS JOIN statement q ON q.service_id = s.id
CROSS JOIN roll_statement r ON r.level = 60 AND r.statement_id = q.id AND r.bucket >= :from
GROUP BY q.id
ORDER BY sum DESC
LIMIT +:limit
