-- Durations (µs) of the transactions of each service.
SELECT g.id, 0 AS bucket, t.duration AS value
FROM service s
CROSS JOIN tx_group g ON g.service_id = s.id
CROSS JOIN tx t ON t.group_id = g.id AND t.ts >= :from AND t.ts < :to
    AND (t.sample_rate IS NULL OR t.sample_rate > 0)
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
  AND TRUE -- q: transactions
