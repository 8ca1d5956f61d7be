-- Requests of some transaction groups in a window (µs).
SELECT t.group_id, t.ts, t.duration, t.outcome, t.sample_rate, t.weight,
    coalesce(t.result_id, 0) AS result
FROM json_each(:ids) wanted
CROSS JOIN tx t ON t.group_id = wanted.value AND t.ts >= :from AND t.ts < :to
