-- Requests by their numbers.
SELECT t.group_id, t.ts, t.duration, t.outcome, t.sample_rate, t.weight,
    coalesce(t.result_id, 0) AS result
FROM json_each(:requests) wanted
CROSS JOIN tx t ON t.seq = wanted.value
