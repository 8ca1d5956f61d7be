-- A gauge by sender and chart bucket (seconds since 1970), of the newest samples. Samples of one time and sender are
-- parts of one thing, as of several pools of memory.
SELECT t.resource,
       t.bucket,
       count(*) AS n,
       sum(t.value) AS sum,
       min(t.value) AS min,
       max(t.value) AS max,
       sum(t.samples) AS samples
FROM (
    SELECT i.resource,
           i.ts / 1000000 / :interval * :interval AS bucket,
           CASE :together
               WHEN 'sum' THEN sum(i.value)
               WHEN 'min' THEN min(i.value)
               WHEN 'max' THEN max(i.value)
               ELSE avg(i.value)
           END AS value,
           count(*) AS samples
    FROM (
        SELECT k.resource_id AS resource, m.ts, m.value
        FROM service s
        CROSS JOIN metric_name n ON n.service_id IN (0, s.id) AND n.name = :metric
        CROSS JOIN metric_sample m ON m.service_id = s.id AND m.name_id = n.id AND m.ts >= :from AND m.ts < :to
        CROSS JOIN metricset k ON k.seq = m.seq
        WHERE (:service IS NULL OR s.name = :service)
          AND (:environment IS NULL OR s.environment = :environment)
          AND TRUE -- q: metrics
          AND m.value IS NOT NULL
        ORDER BY m.ts DESC
        LIMIT +:most
    ) i
    GROUP BY i.resource, i.ts
) t
GROUP BY t.resource, t.bucket
