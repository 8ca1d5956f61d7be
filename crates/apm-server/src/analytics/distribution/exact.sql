-- Durations (µs) of the transactions of a group, whether each failed, and how many requests it stands for. Not added up
-- here: to sort them for that takes SQLite longer than to hand them on.
SELECT t.duration, t.outcome = 0 AS failed, coalesce(t.weight, 1.0) / coalesce(t.sample_rate, 1.0) AS count
FROM service s
CROSS JOIN tx_group g ON g.service_id = s.id
CROSS JOIN tx t ON t.group_id = g.id AND t.ts >= :from AND t.ts < :to
    AND (t.sample_rate IS NULL OR t.sample_rate > 0)
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
  AND TRUE -- q: transactions
  AND TRUE -- requests: t
  AND (:type IS NULL OR g.type = :type)
  AND (:name IS NULL OR g.name = :name)
