-- Series of one metric with values in the window, the newest first.
WITH slice (level, start, stop) AS (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:slices)
)
SELECT m.id, m.kind, m.unit, m.labels
FROM service s
CROSS JOIN metric_name n ON n.service_id IN (0, s.id) AND n.name = :metric
CROSS JOIN metric_series m ON m.service_id = s.id AND m.name_id = n.id
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
  AND TRUE -- q: metrics
  AND EXISTS (
      SELECT 1
      FROM slice
      CROSS JOIN roll_metric r
          ON r.level = slice.level AND r.series_id = m.id AND r.bucket >= slice.start AND r.bucket < slice.stop
  )
ORDER BY m.last_seen DESC, m.id DESC
LIMIT +:most
