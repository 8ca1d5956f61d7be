-- The first ?3 traces of each error group and hour among the events numbered ?1 to ?2. An error without a trace stands
-- for itself.
INSERT OR IGNORE INTO kept_for (trace_id, reason, subject, plan, hour)
SELECT trace_id, 2, group_id, 0, hour
FROM (
    SELECT
        coalesce(e.trace_id, e.id) AS trace_id,
        e.group_id,
        e.ts / 3600000000 * 3600 AS hour,
        row_number() OVER (PARTITION BY e.group_id, e.ts / 3600000000 ORDER BY e.seq) + (
            SELECT count(*)
            FROM kept_for k
            WHERE k.reason = 2 AND k.subject = e.group_id AND k.plan = 0 AND k.hour = e.ts / 3600000000 * 3600
        ) AS place
    FROM error e
    WHERE e.seq BETWEEN ?1 AND ?2
)
WHERE place <= ?3
