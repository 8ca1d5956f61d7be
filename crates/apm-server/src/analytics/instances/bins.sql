-- Durations of the transactions of each instance, by bin of the histogram.
WITH slice (level, start, stop) AS (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:slices)
)
SELECT i.id, r.bin, sum(r.count) AS count
FROM service s
CROSS JOIN instance i ON i.service_id = s.id
CROSS JOIN slice
CROSS JOIN roll_instance_hist r
    ON r.level = slice.level AND r.instance_id = i.id AND r.bucket >= slice.start AND r.bucket < slice.stop
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
GROUP BY i.id, r.bin
