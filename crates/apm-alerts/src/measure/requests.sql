-- The last minute with requests of each service, and how many minutes of the window had any.
-- ?1 service, ?2 environment ('' is all), ?3 and ?4 first and last bucket.
SELECT s.name AS service, s.environment, max(c.bucket) AS last, count(DISTINCT c.bucket) AS busy
FROM event_count c
JOIN service s ON s.id = c.service_id
WHERE c.level = 60
  AND c.kind = 1
  AND c.bucket BETWEEN ?3 AND ?4
  AND c.n > 0
  AND (?1 = '' OR s.name = ?1)
  AND (?2 = '' OR s.environment = ?2)
GROUP BY s.id
LIMIT 1000
