-- Kind 6: transactions without a parent, which begin traces. They are counted as transactions too. So the list of traces says how many
-- there are without reading them.
DROP VIEW event_row;
CREATE VIEW event_row AS
SELECT r.seq, 1 AS kind, g.service_id, r.outcome, (r.ts - ((r.ts % 60000000) + 60000000) % 60000000) / 1000000 AS minute
FROM tx r CROSS JOIN tx_group g ON g.id = r.group_id
UNION ALL
SELECT r.seq, 6, g.service_id, r.outcome, (r.ts - ((r.ts % 60000000) + 60000000) % 60000000) / 1000000
FROM tx r CROSS JOIN tx_group g ON g.id = r.group_id
WHERE r.parent_id IS NULL
UNION ALL
SELECT r.seq, 2, g.service_id, r.outcome, (r.ts - ((r.ts % 60000000) + 60000000) % 60000000) / 1000000
FROM span r CROSS JOIN span_group g ON g.id = r.group_id
UNION ALL
SELECT r.seq, 3, g.service_id, 2, (r.ts - ((r.ts % 60000000) + 60000000) % 60000000) / 1000000
FROM error r CROSS JOIN error_group g ON g.id = r.group_id
UNION ALL
SELECT r.seq, 4, r.service_id, 2, (r.ts - ((r.ts % 60000000) + 60000000) % 60000000) / 1000000
FROM metricset r
UNION ALL
SELECT r.seq, 5, r.service_id, 2, (r.ts - ((r.ts % 60000000) + 60000000) % 60000000) / 1000000
FROM log r;

INSERT INTO event_count (level, kind, bucket, service_id, outcome, n)
SELECT l.value, e.kind, e.minute - ((e.minute % l.value) + l.value) % l.value, e.service_id, e.outcome, sum(e.n)
FROM (SELECT kind, minute, service_id, outcome, count(*) AS n FROM event_row WHERE kind = 6 GROUP BY 1, 2, 3, 4) e
CROSS JOIN json_each('[60, 600, 3600]') l
GROUP BY 1, 2, 3, 4, 5;
