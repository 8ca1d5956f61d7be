-- The sums of the instances of a service, by the counts of all servers; newest: when the last of it ended, roughly;
-- longest: of its transactions, where all of its rows tell.
WITH slice (level, start, stop) AS (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:slices)
)
SELECT i.id,
       s.environment,
       i.node,
       i.version,
       i.host,
       i.pod,
       i.runtime,
       max(r.bucket + r.level) AS newest,
       sum(r.count) AS count,
       sum(r.failed) AS failed,
       sum(r.succeeded) AS succeeded,
       sum(r.sum) AS sum,
       CASE WHEN total(r.count > 0 AND r.longest IS NULL) = 0 THEN max(r.longest) END AS longest,
       sum(r.cpu_n) AS cpu_n,
       sum(r.cpu_sum) AS cpu_sum,
       sum(r.machine_n) AS machine_n,
       sum(r.machine_sum) AS machine_sum,
       sum(r.memory_n) AS memory_n,
       sum(r.memory_sum) AS memory_sum
FROM service s
CROSS JOIN instance i ON i.service_id = s.id
CROSS JOIN slice
CROSS JOIN roll_instance r
    ON r.level = slice.level AND r.instance_id = i.id AND r.bucket >= slice.start AND r.bucket < slice.stop
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
GROUP BY i.id
