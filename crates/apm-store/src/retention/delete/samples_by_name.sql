-- Samples of the metricsets numbered ?1 to ?2: a look per name at the time that the metricsets span.
SELECT s.service_id, s.name_id, s.ts, s.seq
FROM (
    SELECT service_id, min(ts) AS first, max(ts) AS last
    FROM metricset
    WHERE seq BETWEEN ?1 AND ?2
    GROUP BY service_id
) m
CROSS JOIN metric_name n ON n.service_id IN (0, m.service_id)
CROSS JOIN metric_sample s ON s.service_id = m.service_id AND s.name_id = n.id AND s.ts BETWEEN m.first AND m.last
WHERE s.seq BETWEEN ?1 AND ?2
