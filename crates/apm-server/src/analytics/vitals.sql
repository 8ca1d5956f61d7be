-- Web vitals of pages: how often each was measured, by judgement and by bin of the histogram.
WITH slice (level, start, stop) AS (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:slices)
)
SELECT s.name AS service,
       g.name AS page,
       r.vital,
       r.rating,
       r.bin,
       sum(r.count) AS count
FROM slice
CROSS JOIN service s
CROSS JOIN tx_group g ON g.service_id = s.id
CROSS JOIN roll_vital r
    ON r.level = slice.level AND r.group_id = g.id AND r.bucket >= slice.start AND r.bucket < slice.stop
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
  AND TRUE -- q: transactions
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 5
