-- Number of error groups of the window by status: 0 open, 1 resolved, 2 ignored.
WITH slice (level, start, stop) AS MATERIALIZED (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:slices)
),
happened AS (
    SELECT DISTINCT s.name AS service, coalesce(m.merged_into, g.grouping_key) AS root
    FROM service s
    CROSS JOIN error_group g ON g.service_id = s.id
    LEFT JOIN error_triage m ON m.service = s.name AND m.grouping_key = g.grouping_key
    WHERE (:service IS NULL OR s.name = :service)
      AND (:environment IS NULL OR s.environment = :environment)
      AND TRUE -- q: errors
      AND EXISTS (
          SELECT 1
          FROM slice
          CROSS JOIN roll_error r
              ON r.level = slice.level AND r.group_id = g.id AND r.bucket >= slice.start AND r.bucket < slice.stop
      )
)
SELECT coalesce(t.status, 0) AS status, count(*) AS n
FROM happened h
LEFT JOIN error_triage t ON t.service = h.service AND t.grouping_key = h.root
GROUP BY 1
