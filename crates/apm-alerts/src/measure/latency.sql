-- The bin of the 95th percentile of each group with enough requests in the window.
-- ?1 service, ?2 environment ('' is all), ?3 and ?4 first and last bucket, ?5 least requests.
WITH busy AS (
    SELECT g.id, s.name AS service, s.environment, g.type AS kind, g.name, sum(r.count) AS requests
    FROM service s
    CROSS JOIN tx_group g ON g.service_id = s.id
    CROSS JOIN roll_tx r ON r.level = 60 AND r.group_id = g.id AND r.bucket BETWEEN ?3 AND ?4
    WHERE (?1 = '' OR s.name = ?1)
      AND (?2 = '' OR s.environment = ?2)
    GROUP BY g.id
    HAVING requests >= ?5
    ORDER BY requests DESC
    LIMIT 1000
),
binned AS (
    SELECT b.id, h.bin, sum(h.count) AS count
    FROM busy b
    CROSS JOIN roll_tx_hist h ON h.level = 60 AND h.group_id = b.id AND h.bucket BETWEEN ?3 AND ?4
    GROUP BY b.id, h.bin
),
ranked AS (
    SELECT id,
           bin,
           sum(count) OVER (PARTITION BY id ORDER BY bin) AS below,
           sum(count) OVER (PARTITION BY id) AS total
    FROM binned
)
SELECT b.id, b.service, b.environment, b.kind, b.name, min(k.bin) AS bin
FROM busy b
JOIN ranked k ON k.id = b.id
WHERE k.below >= 0.95 * k.total
GROUP BY b.id
