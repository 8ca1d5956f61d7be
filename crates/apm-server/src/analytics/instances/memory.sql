-- Memory in use, 0 to 1, by chart bucket, as all servers counted it.
WITH slice (level, start, stop) AS (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:series)
)
SELECT r.bucket / :interval * :interval AS bucket,
       sum(r.used_sum) / sum(r.used_n) AS avg,
       min(r.used_min) AS min,
       max(r.used_max) AS max,
       CAST(sum(r.used_n) AS INTEGER) AS n
FROM service s
CROSS JOIN instance i ON i.service_id = s.id
CROSS JOIN slice
CROSS JOIN roll_instance r
    ON r.level = slice.level AND r.instance_id = i.id AND r.bucket >= slice.start AND r.bucket < slice.stop
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
  AND r.used_n > 0
GROUP BY 1
ORDER BY 1
