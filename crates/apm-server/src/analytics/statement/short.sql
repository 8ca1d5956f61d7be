-- Calls of some statements in a window (µs): of a composite span the sum of their durations and their number.
SELECT p.ts, p.outcome, coalesce(p.composite_sum, p.duration) AS sum, max(coalesce(p.composite_count, 1), 1) AS calls,
    CASE WHEN p.weight IS NULL THEN p.sample_rate ELSE coalesce(p.sample_rate, 1.0) / p.weight END AS sample_rate
FROM json_each(:ids) wanted
CROSS JOIN span p ON p.statement_id = wanted.value AND p.ts >= :from AND p.ts < :to
