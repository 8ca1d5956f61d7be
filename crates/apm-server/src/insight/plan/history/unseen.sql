-- Plans among the metric sets after :mark, oldest first: the events that they are in, and their senders. The name of
-- the sample is that of docs/sql-cost.md; times in seconds.
SELECT e.seq,
       s.name AS service,
       s.environment,
       coalesce(r.document ->> '$.metadata.service.version', '') AS version,
       e.ts / 1000000 AS at,
       CASE n.name WHEN 'sqlite.plan.schema_version' THEN m.value END AS schema_version
FROM metricset e
CROSS JOIN metric_name n ON n.name IN ('sqlite.plan.schema_version', 'sql.plan.steps')
    AND n.service_id IN (0, e.service_id)
CROSS JOIN metric_sample m ON m.service_id = e.service_id AND m.name_id = n.id AND m.ts = e.ts AND m.seq = e.seq
CROSS JOIN service s ON s.id = e.service_id
CROSS JOIN resource r ON r.id = e.resource_id
WHERE e.seq > :mark AND e.seq <= :last AND json_valid(r.document)
ORDER BY e.seq
LIMIT +:most
