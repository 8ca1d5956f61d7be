-- A gauge by instance and chart bucket (seconds since 1970), as all servers counted it.
WITH slice (level, start, stop) AS (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:series)
)
SELECT t.node, t.bucket, sum(t.n) AS n, sum(t.sum) AS sum
FROM (
    SELECT i.node,
           r.bucket / :interval * :interval AS bucket,
           CASE :gauge WHEN 'cpu' THEN r.cpu_n WHEN 'machine' THEN r.machine_n ELSE r.memory_n END AS n,
           CASE :gauge WHEN 'cpu' THEN r.cpu_sum WHEN 'machine' THEN r.machine_sum ELSE r.memory_sum END AS sum
    FROM service s
    CROSS JOIN instance i ON i.service_id = s.id
    CROSS JOIN slice
    CROSS JOIN roll_instance r
        ON r.level = slice.level AND r.instance_id = i.id AND r.bucket >= slice.start AND r.bucket < slice.stop
    WHERE (:service IS NULL OR s.name = :service)
      AND (:environment IS NULL OR s.environment = :environment)
) t
WHERE t.n > 0
GROUP BY t.node, t.bucket
