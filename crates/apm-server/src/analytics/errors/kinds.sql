-- Number of kinds of errors in the window that nobody resolved and nobody ignores.
WITH slice (level, start, stop) AS MATERIALIZED (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:slices)
),
happened AS (
    SELECT DISTINCT g.service_id, coalesce(m.merged_into, g.grouping_key) AS root
    FROM service s
    CROSS JOIN error_group g ON g.service_id = s.id
    LEFT JOIN error_triage m ON m.service = s.name AND m.grouping_key = g.grouping_key
    LEFT JOIN error_triage t ON t.service = s.name AND t.grouping_key = coalesce(m.merged_into, g.grouping_key)
    WHERE (:service IS NULL OR s.name = :service)
      AND (:environment IS NULL OR s.environment = :environment)
      AND coalesce(t.status, 0) = 0
      AND EXISTS (
          SELECT 1
          FROM slice
          CROSS JOIN roll_error r
              ON r.level = slice.level AND r.group_id = g.id AND r.bucket >= slice.start AND r.bucket < slice.stop
      )
)
SELECT count(*) AS kinds FROM happened
