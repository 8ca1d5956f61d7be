-- The first ?3 traces with a failed transaction of each group and hour among the events numbered ?1 to ?2.
INSERT INTO kept_trace (trace_id, reason, subject, plan, hour, events, bytes)
SELECT trace_id, 3, group_id, 0, hour, 0, 0
FROM (
    SELECT
        t.trace_id,
        t.group_id,
        t.ts / 3600000000 * 3600 AS hour,
        row_number() OVER (PARTITION BY t.group_id, t.ts / 3600000000 ORDER BY t.seq) + (
            SELECT count(*)
            FROM kept_trace k
            WHERE k.reason = 3 AND k.subject = t.group_id AND k.plan = 0 AND k.hour = t.ts / 3600000000 * 3600
        ) AS place
    FROM tx t
    WHERE t.seq BETWEEN ?1 AND ?2 AND t.outcome = 0 AND t.sampled
)
WHERE place <= ?3
ON CONFLICT (trace_id) DO UPDATE
SET reason = excluded.reason, subject = excluded.subject, plan = excluded.plan, hour = excluded.hour
WHERE excluded.reason < kept_trace.reason
