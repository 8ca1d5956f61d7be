-- One metric by chart bucket (seconds since 1970).
SELECT m.ts / 1000000 / :interval * :interval AS bucket,
       avg(m.value) AS avg,
       min(m.value) AS min,
       max(m.value) AS max,
       count(*) AS n
FROM service s
CROSS JOIN metric_name n ON n.service_id IN (0, s.id) AND n.name = :metric
CROSS JOIN metric_sample m ON m.service_id = s.id AND m.name_id = n.id AND m.ts >= :from AND m.ts < :to
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
  AND TRUE -- q: metrics
  AND m.value IS NOT NULL
GROUP BY 1
ORDER BY 1
