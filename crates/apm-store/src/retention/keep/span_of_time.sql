-- The time that the events numbered ?1 to ?2 span, µs.
SELECT coalesce(min(ts), 0) AS first, coalesce(max(ts), 0) AS last
FROM (
    SELECT ts FROM tx WHERE seq BETWEEN ?1 AND ?2
    UNION ALL SELECT ts FROM span WHERE seq BETWEEN ?1 AND ?2
    UNION ALL SELECT ts FROM error WHERE seq BETWEEN ?1 AND ?2
    UNION ALL SELECT ts FROM log WHERE seq BETWEEN ?1 AND ?2
    UNION ALL SELECT ts FROM metricset WHERE seq BETWEEN ?1 AND ?2
)
