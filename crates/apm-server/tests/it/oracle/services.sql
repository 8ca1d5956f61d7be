-- Services with what happened in the window; durations in µs, errors as events.
WITH slice (level, start, stop) AS (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:slices)
),
chosen AS (
    SELECT id, name, environment FROM service WHERE :environment IS NULL OR environment = :environment
),
served AS (
    SELECT s.name,
           sum(r.count) AS count,
           sum(r.n) AS n,
           sum(r.sum) AS sum,
           coalesce(sum(r.count) FILTER (WHERE r.outcome = 0), 0.0) AS failures,
           coalesce(sum(r.count) FILTER (WHERE r.outcome = 1), 0.0) AS successes
    FROM slice
    CROSS JOIN chosen s
    CROSS JOIN tx_group g ON g.service_id = s.id
    CROSS JOIN roll_tx r
        ON r.level = slice.level AND r.group_id = g.id AND r.bucket >= slice.start AND r.bucket < slice.stop
    WHERE TRUE
      AND TRUE -- q: transactions
    GROUP BY s.name
),
erred AS (
    SELECT s.name, sum(r.n) AS errors
    FROM slice
    CROSS JOIN chosen s
    CROSS JOIN error_group g ON g.service_id = s.id
    CROSS JOIN roll_error r
        ON r.level = slice.level AND r.group_id = g.id AND r.bucket >= slice.start AND r.bucket < slice.stop
    GROUP BY s.name
),
queried AS (
    SELECT s.name, sum(r.sum) AS sum
    FROM slice
    CROSS JOIN chosen s
    CROSS JOIN statement q ON q.service_id = s.id
    CROSS JOIN roll_statement r
        ON r.level = slice.level AND r.statement_id = q.id AND r.bucket >= slice.start AND r.bucket < slice.stop
    GROUP BY s.name
),
known AS (
    -- The agent is that of the row seen last: a bare column beside max() comes from its row.
    SELECT name,
           json_group_array(environment) AS environments,
           agent_name,
           agent_version,
           language,
           version,
           max(last_seen) AS last_seen
    FROM service
    WHERE :environment IS NULL OR environment = :environment
    GROUP BY name
)
SELECT k.name,
       k.environments,
       k.agent_name,
       k.agent_version,
       k.language,
       k.version,
       coalesce(made.count, 0.0) AS count,
       coalesce(made.n, 0) AS n,
       coalesce(made.sum, 0.0) AS sum,
       coalesce(made.failures, 0.0) AS failures,
       coalesce(made.successes, 0.0) AS successes,
       coalesce(fault.errors, 0) AS errors,
       coalesce(q.sum, 0.0) AS db_sum
FROM known k
LEFT JOIN served made ON made.name = k.name
LEFT JOIN erred fault ON fault.name = k.name
LEFT JOIN queried q ON q.name = k.name
WHERE made.n > 0
   OR NOT :filtered AND fault.errors > 0
   OR NOT :filtered AND EXISTS (
       SELECT 1
       FROM chosen c
       CROSS JOIN metric_name known_metric ON known_metric.service_id IN (0, c.id)
       CROSS JOIN metric_sample v
           ON v.service_id = c.id AND v.name_id = known_metric.id AND v.ts >= :from AND v.ts < :to
       WHERE c.name = k.name
   )
   OR NOT :filtered AND EXISTS (
       SELECT 1
       FROM chosen c
       JOIN metric_series m ON m.service_id = c.id
       JOIN roll_metric r
           ON r.level = 60 AND r.series_id = m.id AND r.bucket * 1000000 >= :from AND r.bucket * 1000000 < :to
       WHERE c.name = k.name
   )
ORDER BY count DESC, k.name
