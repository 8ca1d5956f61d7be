-- Metrics of one service with values in the window. A metric whose kind or unit changed has those of its newest series.
WITH slice (level, start, stop) AS (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:slices)
)
SELECT n.name,
       m.kind,
       m.unit,
       count(*) AS series,
       max(m.last_seen * 1000000 + m.id) AS newest
FROM metric_series m
CROSS JOIN metric_name n ON n.id = m.name_id
WHERE m.service_id = :id
  -- Quantiles of a summary, which is listed.
  AND m.kind <> 5
  AND EXISTS (
      SELECT 1
      FROM slice
      CROSS JOIN roll_metric r
          ON r.level = slice.level AND r.series_id = m.id AND r.bucket >= slice.start AND r.bucket < slice.stop
  )
GROUP BY n.name
ORDER BY n.name
