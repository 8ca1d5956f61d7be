-- Spans of one statement, newest first; durations in µs.
SELECT p.seq, p.ts, p.duration, p.trace_id, p.id, p.outcome, p.composite_count
FROM service s
CROSS JOIN statement q ON q.service_id = s.id AND q.fingerprint = :fingerprint
CROSS JOIN span p ON p.statement_id = q.id AND p.ts >= :from AND p.ts < :to
    AND coalesce(p.composite_sum / p.composite_count, p.duration) >= :min
    AND coalesce(p.composite_sum / p.composite_count, p.duration) < :max
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
  AND TRUE -- q: statements
ORDER BY p.ts DESC, p.seq DESC
LIMIT 100
