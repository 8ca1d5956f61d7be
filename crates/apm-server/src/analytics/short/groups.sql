-- Requests of some transaction groups in a window (µs).
SELECT t.group_id, t.ts, t.duration, t.outcome,
    CASE WHEN t.weight IS NULL THEN t.sample_rate ELSE coalesce(t.sample_rate, 1.0) / t.weight END AS sample_rate,
    coalesce(t.result_id, 0) AS result
FROM json_each(:ids) wanted
CROSS JOIN tx t ON t.group_id = wanted.value AND t.ts >= :from AND t.ts < :to
