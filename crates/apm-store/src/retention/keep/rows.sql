-- The events numbered ?1 to ?2 that belong to kept traces.
SELECT seq, trace_id
FROM (
    SELECT seq, trace_id FROM tx WHERE seq BETWEEN ?1 AND ?2
    UNION ALL
    SELECT seq, trace_id FROM span WHERE seq BETWEEN ?1 AND ?2
    UNION ALL
    SELECT seq, coalesce(trace_id, id) FROM error WHERE seq BETWEEN ?1 AND ?2
    UNION ALL
    SELECT seq, trace_id FROM log WHERE seq BETWEEN ?1 AND ?2
)
WHERE trace_id IN (SELECT k.trace_id FROM kept_trace k)
ORDER BY seq
