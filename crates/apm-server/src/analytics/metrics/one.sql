-- A gauge by chart bucket (seconds since 1970), its series together.
WITH slice (level, start, stop) AS (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:series)
)
SELECT r.bucket / :interval * :interval AS bucket,
       sum(r.sum) / sum(r.count) AS avg,
       min(r.min) AS min,
       max(r.max) AS max,
       sum(r.n) AS n
FROM service s
CROSS JOIN metric_name n ON n.service_id IN (0, s.id) AND n.name = :metric
CROSS JOIN metric_series m ON m.service_id = s.id AND m.name_id = n.id AND m.kind = 0
CROSS JOIN slice
CROSS JOIN roll_metric r
    ON r.level = slice.level AND r.series_id = m.id AND r.bucket >= slice.start AND r.bucket < slice.stop
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
  AND TRUE -- q: metrics
  AND r.count > 0
GROUP BY 1
ORDER BY 1
