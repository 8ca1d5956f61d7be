-- Requests, and those of them that took longer than a bin of durations, by bucket.
-- ?1 service, ?2 environment and ?3 transaction ('' is all), ?4 level, ?5 and ?6 first and last bucket, ?7 bin.
SELECT r.bucket AS start,
       sum(r.count) AS total,
       coalesce(sum(r.count) FILTER (WHERE r.bin > ?7), 0.0) AS bad
FROM service s
CROSS JOIN tx_group g ON g.service_id = s.id
CROSS JOIN roll_tx_hist r ON r.level = ?4 AND r.group_id = g.id AND r.bucket BETWEEN ?5 AND ?6
WHERE s.name = ?1
  AND (?2 = '' OR s.environment = ?2)
  AND (?3 = '' OR g.name = ?3)
GROUP BY r.bucket
ORDER BY r.bucket
