-- Errors of the last 5 minutes, and how many there usually were in 5 minutes of the 55 before.
SELECT s.name AS service,
       s.environment,
       g.grouping_key,
       g.message,
       g.culprit,
       sum(r.n) FILTER (WHERE r.bucket >= :recent) * 1.0 AS now,
       coalesce(sum(r.n) FILTER (WHERE r.bucket < :recent), 0) / 11.0 AS usual
FROM service s
CROSS JOIN error_group g ON g.service_id = s.id
CROSS JOIN roll_error r ON r.level = 60 AND r.group_id = g.id AND r.bucket >= :from
GROUP BY g.id
HAVING now >= :least
LIMIT 100
