-- Requests by their numbers.
SELECT t.group_id, t.ts, t.duration, t.outcome,
    CASE WHEN t.weight IS NULL THEN t.sample_rate ELSE coalesce(t.sample_rate, 1.0) / t.weight END AS sample_rate,
    coalesce(t.result_id, 0) AS result
FROM json_each(:requests) wanted
CROSS JOIN tx t ON t.seq = wanted.value
