-- The slowest transaction of each group in each hour, where it is among the events numbered ?1 to ?2: its duration is
-- the longest that the rollup of the hour knows.
INSERT OR IGNORE INTO kept_for (trace_id, reason, subject, plan, hour)
SELECT w.trace_id, 4, w.group_id, 0, w.hour
FROM (
    SELECT t.trace_id, t.group_id, t.ts / 3600000000 * 3600 AS hour, max(t.duration) AS duration
    FROM tx t
    WHERE t.seq BETWEEN ?1 AND ?2 AND t.sampled
    GROUP BY t.group_id, t.ts / 3600000000
) w
WHERE w.duration >= coalesce((
    SELECT max(r.max)
    FROM roll_tx r
    WHERE r.level = 3600 AND r.group_id = w.group_id AND r.bucket = w.hour
), 0)
