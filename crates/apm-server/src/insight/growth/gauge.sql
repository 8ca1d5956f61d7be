-- Samples of the gauge that counts the rows, if the service sends it; at: microseconds.
SELECT m.ts AS at, m.value
FROM metric_name n
CROSS JOIN metric_sample m
    ON m.service_id = :service AND m.name_id = n.id AND m.ts >= :from * 1000000 AND m.ts < :to * 1000000
WHERE n.service_id IN (0, :service) AND n.name = :gauge AND m.value IS NOT NULL
ORDER BY m.ts
LIMIT +:limit
