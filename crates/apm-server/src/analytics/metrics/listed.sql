-- Metrics of one service with values in the window, in order of names from :after on. A metric whose kind or unit
-- changed has those of its newest series. Names are read in the order of their index, and no more than are listed.
WITH slice (level, start, stop) AS (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:slices)
)
SELECT n.name,
       m.kind,
       m.unit,
       count(*) AS series,
       max(m.last_seen * 1000000 + m.id) AS newest
FROM metric_name n
CROSS JOIN metric_series m ON m.service_id = :id AND m.name_id = n.id
WHERE n.service_id = :owner
  AND n.name > :after
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
LIMIT +:limit
