-- The services with their errors in the window, and whether there is anything of them but transactions.
WITH slice (level, start, stop) AS (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:slices)
),
chosen AS (
    SELECT id, name
    FROM service
    WHERE (:service IS NULL OR name = :service)
      AND (:environment IS NULL OR environment = :environment)
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
    WHERE (:service IS NULL OR name = :service)
      AND (:environment IS NULL OR environment = :environment)
    GROUP BY name
)
SELECT k.name,
       k.environments,
       k.agent_name,
       k.agent_version,
       k.language,
       k.version,
       coalesce(fault.errors, 0) AS errors,
       NOT :filtered AND (
           coalesce(fault.errors, 0) > 0
           OR EXISTS (
               SELECT 1
               FROM chosen c
               CROSS JOIN metric_name known_metric ON known_metric.service_id IN (0, c.id)
               CROSS JOIN metric_sample v
                   ON v.service_id = c.id AND v.name_id = known_metric.id AND v.ts >= :from AND v.ts < :to
               WHERE c.name = k.name
           )
           -- Those of other servers, and those that are no numbers, have no samples.
           OR EXISTS (
               SELECT 1
               FROM chosen c
               CROSS JOIN metric_series m ON m.service_id = c.id AND m.last_seen >= :from / 1000000 - 7200
               CROSS JOIN slice
               CROSS JOIN roll_metric r
                   ON r.level = slice.level
                   AND r.series_id = m.id
                   AND r.bucket >= slice.start
                   AND r.bucket < slice.stop
               WHERE c.name = k.name
           )
       ) AS heard
FROM known k
LEFT JOIN erred fault ON fault.name = k.name
