-- Calls of some statements in a window (µs): of a composite span the sum of their durations and their number.
SELECT p.ts, p.outcome, coalesce(p.composite_sum, p.duration) AS sum, max(coalesce(p.composite_count, 1), 1) AS calls,
    p.sample_rate, p.weight
FROM json_each(:ids) wanted
CROSS JOIN span p ON p.statement_id = wanted.value AND p.ts >= :from AND p.ts < :to
