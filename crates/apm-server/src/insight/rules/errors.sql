-- Errors of the last 5 minutes, and how many there usually were in 5 minutes of the hour before, as far as the service
-- is known.
WITH known AS (
    SELECT service_id, max(:recent - max(min(bucket), :from), 1) * 1.0 AS seconds
    FROM event_count
    WHERE level = 600 AND kind IN (1, 3) AND bucket >= :from AND bucket < :recent
    GROUP BY service_id
)
SELECT s.name AS service,
       s.environment,
       g.grouping_key,
       g.message,
       g.culprit,
       sum(r.n) FILTER (WHERE r.bucket >= :recent) * 1.0 AS now,
       coalesce(sum(r.n) FILTER (WHERE r.bucket < :recent), 0) * 300.0 / k.seconds AS usual,
       k.seconds AS known
FROM service s
CROSS JOIN known k ON k.service_id = s.id
CROSS JOIN error_group g ON g.service_id = s.id
CROSS JOIN roll_error r ON r.level = 60 AND r.group_id = g.id AND r.bucket >= :from
GROUP BY g.id
HAVING now >= :least
LIMIT 100
