-- Sampled transactions of a group, newest first, within a range of durations (µs).
SELECT t.seq, t.ts, t.duration, t.trace_id, t.id, t.outcome, coalesce(v.value, '') AS result, s.name AS service
FROM service s
CROSS JOIN tx_group g ON g.service_id = s.id
CROSS JOIN tx t
    ON t.group_id = g.id
    AND t.ts >= :from
    AND t.ts < :to
    AND t.duration >= :min_us
    AND t.duration < :max_us
LEFT JOIN result v ON v.id = t.result_id
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
  AND TRUE -- q: transactions
  AND (:type IS NULL OR g.type = :type)
  AND (:name IS NULL OR g.name = :name)
  AND t.sampled
ORDER BY t.ts DESC, t.seq DESC
LIMIT :limit
