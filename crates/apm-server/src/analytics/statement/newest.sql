-- Spans of one statement of one service from a time on, newest first; durations in µs.
SELECT p.seq, p.ts, p.duration, p.trace_id, p.id, p.outcome, p.composite_count
FROM span p
WHERE p.statement_id = :group AND p.ts >= :since AND p.ts < :to
  AND coalesce(p.composite_sum / p.composite_count, p.duration) >= :min
  AND coalesce(p.composite_sum / p.composite_count, p.duration) < :max
ORDER BY p.ts DESC, p.seq DESC
LIMIT +:limit
