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
measured AS (
    -- 4: metrics.
    SELECT DISTINCT c.name
    FROM slice
    CROSS JOIN event_count r
        ON r.level = slice.level AND r.kind = 4 AND r.bucket >= slice.start AND r.bucket < slice.stop
    CROSS JOIN chosen c ON c.id = r.service_id
    WHERE r.n > 0
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
           OR k.name IN (SELECT name FROM measured)
           -- Events go before what was counted of them, and those of other servers are not here. Of very many series a
           -- thousand are looked at.
           OR EXISTS (
               SELECT 1
               FROM chosen c
               WHERE c.name = k.name
                 AND EXISTS (
                     SELECT 1
                     FROM (
                         SELECT id
                         FROM metric_series
                         WHERE service_id = c.id AND last_seen >= :from / 1000000 - 7200
                         LIMIT 1000
                     ) some
                     CROSS JOIN slice
                     CROSS JOIN roll_metric r
                         ON r.level = slice.level
                         AND r.series_id = some.id
                         AND r.bucket >= slice.start
                         AND r.bucket < slice.stop
                 )
           )
       ) AS heard
FROM known k
LEFT JOIN erred fault ON fault.name = k.name
