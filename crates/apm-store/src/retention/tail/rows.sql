-- The events numbered ?1 to ?2, of the blocks ?3 to ?4: whether they may go, and whether their trace stays for what
-- refers to it: it is kept beyond the newest events, or is the example of who runs a statement in its hour.
SELECT
    seq,
    trace_id,
    can_go,
    coalesce(
        trace_id IN (SELECT k.trace_id FROM kept_trace k)
        OR trace_id IN (
            SELECT r.trace_id
            FROM roll_caller r
            WHERE r.level = 3600
                AND r.bucket >= (SELECT min(b.received) - 7200 FROM block b WHERE b.id BETWEEN ?3 AND ?4)
                AND r.bucket <= (SELECT max(b.received) FROM block b WHERE b.id BETWEEN ?3 AND ?4)
        ),
        0
    ) AS is_kept
FROM (
    SELECT seq, trace_id, 1 AS can_go FROM tx WHERE seq BETWEEN ?1 AND ?2
    UNION ALL
    SELECT seq, trace_id, 1 FROM span WHERE seq BETWEEN ?1 AND ?2
    UNION ALL
    SELECT seq, trace_id, 0 FROM error WHERE seq BETWEEN ?1 AND ?2
    UNION ALL
    SELECT seq, trace_id, 0 FROM log WHERE seq BETWEEN ?1 AND ?2
    UNION ALL
    SELECT seq, NULL, 0 FROM metricset WHERE seq BETWEEN ?1 AND ?2
)
ORDER BY seq
