-- Traces among the events numbered ?1 to ?2 that stay in any case: with an error, with a failed transaction, with one
-- of ?3 µs or longer, or with the slowest of its group and hour so far.
SELECT trace_id FROM error WHERE seq BETWEEN ?1 AND ?2 AND trace_id IS NOT NULL
UNION
SELECT trace_id FROM tx WHERE seq BETWEEN ?1 AND ?2 AND (outcome = 0 OR duration >= ?3)
UNION
SELECT w.trace_id
FROM (
    SELECT t.trace_id, t.group_id, t.ts / 3600000000 * 3600 AS hour, max(t.duration) AS duration
    FROM tx t
    WHERE t.seq BETWEEN ?1 AND ?2
    GROUP BY t.group_id, t.ts / 3600000000
) w
WHERE w.duration >= coalesce((
    SELECT max(r.max)
    FROM roll_tx r
    WHERE r.level = 3600 AND r.group_id = w.group_id AND r.bucket = w.hour
), 0)
