-- Memory in use, 0 to 1, by chart bucket: of the cgroup's limit where there is a cgroup, of the system's otherwise.
-- 9223372036854771712 is how Linux writes “no limit”.
SELECT ts / 1000000 / :interval * :interval AS bucket,
       avg(used) AS avg,
       min(used) AS min,
       max(used) AS max,
       count(*) AS n
FROM (
    SELECT t.ts,
           CASE
               WHEN u.value IS NOT NULL
                   THEN u.value / CASE
                       WHEN l.value > 0 AND l.value <> 9223372036854771712.0 THEN l.value
                       ELSE t.value
                   END
               ELSE 1 - f.value / t.value
           END AS used
    FROM service s
    CROSS JOIN metric_sample t
        ON t.service_id = s.id
        AND t.name_id IN (SELECT id FROM metric_name WHERE service_id IN (0, s.id) AND name = 'system.memory.total')
        AND t.ts >= :from
        AND t.ts < :to
    LEFT JOIN metric_sample f
        ON f.service_id = s.id
        AND f.name_id IN (
            SELECT id
            FROM metric_name
            WHERE service_id IN (0, s.id) AND name = 'system.memory.actual.free'
        )
        AND f.ts = t.ts
        AND f.seq = t.seq
    LEFT JOIN metric_sample u
        ON u.service_id = s.id
        AND u.name_id IN (
            SELECT id
            FROM metric_name
            WHERE service_id IN (0, s.id) AND name = 'system.process.cgroup.memory.mem.usage.bytes'
        )
        AND u.ts = t.ts
        AND u.seq = t.seq
    LEFT JOIN metric_sample l
        ON l.service_id = s.id
        AND l.name_id IN (
            SELECT id
            FROM metric_name
            WHERE service_id IN (0, s.id) AND name = 'system.process.cgroup.memory.mem.limit.bytes'
        )
        AND l.ts = t.ts
        AND l.seq = t.seq
    WHERE (:service IS NULL OR s.name = :service)
      AND (:environment IS NULL OR s.environment = :environment)
      AND TRUE -- q: metrics
      AND t.value > 0
)
WHERE used IS NOT NULL
GROUP BY 1
ORDER BY 1
