-- Samples of the metricsets numbered ?1 to ?2: a probe per metricset and name.
SELECT m.service_id, n.id, m.ts, m.seq
FROM metricset m
CROSS JOIN metric_name n ON n.service_id IN (0, m.service_id)
WHERE m.seq BETWEEN ?1 AND ?2
