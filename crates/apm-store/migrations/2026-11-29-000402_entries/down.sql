DELETE FROM event_count WHERE kind = 6;
DROP VIEW event_row;
CREATE VIEW event_row AS
SELECT r.seq, 1 AS kind, g.service_id, r.outcome, (r.ts - ((r.ts % 60000000) + 60000000) % 60000000) / 1000000 AS minute
FROM tx r CROSS JOIN tx_group g ON g.id = r.group_id
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
