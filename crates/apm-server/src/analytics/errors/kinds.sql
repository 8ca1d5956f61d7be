-- Number of kinds of errors in the window.
WITH slice (level, start, stop) AS (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:slices)
)
SELECT count(DISTINCT g.id) AS kinds
FROM slice
CROSS JOIN service s
CROSS JOIN error_group g ON g.service_id = s.id
CROSS JOIN roll_error r
    ON r.level = slice.level AND r.group_id = g.id AND r.bucket >= slice.start AND r.bucket < slice.stop
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
