-- Requests of the window whose outcome is known, and of these the failed ones, by service.
-- ?1 service, ?2 environment ('' is all), ?3 and ?4 first and last bucket, ?5 least requests.
SELECT s.name AS service,
       s.environment,
       sum(r.count) AS judged,
       coalesce(sum(r.count) FILTER (WHERE r.outcome = 0), 0.0) AS failed
FROM service s
CROSS JOIN tx_group g ON g.service_id = s.id
CROSS JOIN roll_tx r ON r.level = 60 AND r.group_id = g.id AND r.bucket BETWEEN ?3 AND ?4
WHERE (?1 = '' OR s.name = ?1)
  AND (?2 = '' OR s.environment = ?2)
  AND r.outcome IN (0, 1)
GROUP BY s.id
HAVING judged >= ?5
ORDER BY failed DESC
LIMIT 1000
