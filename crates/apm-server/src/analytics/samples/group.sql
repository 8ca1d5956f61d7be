-- Sampled transactions of one group from a time on, newest first, within a range of durations (µs).
SELECT t.seq, t.ts, t.duration, t.trace_id, t.id, t.outcome, coalesce(v.value, '') AS result, s.name AS service
FROM tx t
CROSS JOIN tx_group g ON g.id = t.group_id
CROSS JOIN service s ON s.id = g.service_id
LEFT JOIN result v ON v.id = t.result_id
WHERE t.group_id = :group
  AND t.ts >= :since
  AND t.ts < :to
  AND t.duration >= :min_us
  AND t.duration < :max_us
  AND t.sampled
  AND TRUE -- requests: t
ORDER BY t.ts DESC, t.seq DESC
LIMIT +:limit
