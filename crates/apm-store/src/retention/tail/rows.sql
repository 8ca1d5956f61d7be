-- The events numbered ?1 to ?2: whether they may go, and whether their trace is kept beyond the newest events.
SELECT seq, trace_id, can_go, coalesce(trace_id IN (SELECT k.trace_id FROM kept_trace k), 0) AS is_kept
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
