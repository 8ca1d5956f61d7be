-- Means of statements with enough calls in the window and on the day before.
-- ?1 service, ?2 environment ('' is all), ?3 and ?4 first and last bucket of the window, ?5 least calls,
-- ?6 and ?7 the day before, from and to.
WITH recent AS (
    SELECT q.id,
           s.name AS service,
           s.environment,
           q.fingerprint,
           q.normalized,
           sum(r.count) AS calls,
           sum(r.sum) AS time
    FROM service s
    CROSS JOIN statement q ON q.service_id = s.id
    CROSS JOIN roll_statement r ON r.level = 60 AND r.statement_id = q.id AND r.bucket BETWEEN ?3 AND ?4
    WHERE (?1 = '' OR s.name = ?1)
      AND (?2 = '' OR s.environment = ?2)
      -- Written once an hour.
      AND q.last_seen >= ?3 - 3600
    GROUP BY q.id
    HAVING calls >= ?5
    ORDER BY time DESC
    LIMIT 1000
),
usual AS (
    SELECT n.id, sum(r.count) AS calls, sum(r.sum) AS time
    FROM recent n
    CROSS JOIN roll_statement r ON r.level = 3600 AND r.statement_id = n.id AND r.bucket >= ?6 AND r.bucket < ?7
    GROUP BY n.id
)
SELECT n.service,
       n.environment,
       printf('%016x', n.fingerprint) AS fingerprint,
       n.normalized AS statement,
       n.time / n.calls AS time,
       u.time / u.calls AS usual_time,
       (
           SELECT sum(c.steps) / nullif(sum(c.measured), 0)
           FROM roll_statement_cost c
           WHERE c.level = 60 AND c.statement_id = n.id AND c.bucket BETWEEN ?3 AND ?4
       ) AS steps,
       (
           SELECT sum(c.steps) / nullif(sum(c.measured), 0)
           FROM roll_statement_cost c
           WHERE c.level = 3600 AND c.statement_id = n.id AND c.bucket >= ?6 AND c.bucket < ?7
       ) AS usual_steps
FROM recent n
JOIN usual u ON u.id = n.id
WHERE u.calls >= ?5
