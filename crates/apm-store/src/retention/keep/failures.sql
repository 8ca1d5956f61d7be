-- The first ?3 traces with a failed transaction of each group and hour among the events numbered ?1 to ?2.
INSERT OR IGNORE INTO kept_for (trace_id, reason, subject, plan, hour)
SELECT trace_id, 3, group_id, 0, hour
FROM (
    SELECT
        t.trace_id,
        t.group_id,
        t.ts / 3600000000 * 3600 AS hour,
        row_number() OVER (PARTITION BY t.group_id, t.ts / 3600000000 ORDER BY t.seq) + (
            SELECT count(*)
            FROM kept_for k
            WHERE k.reason = 3 AND k.subject = t.group_id AND k.plan = 0 AND k.hour = t.ts / 3600000000 * 3600
        ) AS place
    FROM tx t
    WHERE t.seq BETWEEN ?1 AND ?2 AND t.outcome = 0 AND t.sampled
)
WHERE place <= ?3
