-- Those of some names that a service has values of in the window.
WITH slice (level, start, stop) AS (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:slices)
)
SELECT n.name
FROM json_each(:names) wanted
CROSS JOIN metric_name n ON n.service_id = :owner AND n.name = wanted.value
WHERE EXISTS (
    SELECT 1
    FROM metric_series m
    CROSS JOIN slice
    CROSS JOIN roll_metric r
        ON r.level = slice.level AND r.series_id = m.id AND r.bucket >= slice.start AND r.bucket < slice.stop
    WHERE m.service_id = :id AND m.name_id = n.id AND m.kind <> 5
)
