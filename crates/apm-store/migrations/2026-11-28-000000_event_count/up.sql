-- What rows of all kinds have in common. kind: 1 transaction, 2 span, 3 error, 4 metricset, 5 log, as in a block. outcome: that of
-- transactions and spans, 2 for the others. minute: of event time, seconds since 1970, also before it.
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

-- How many events are stored, by time: Discover reads here what it would otherwise count row by row. Written with the events and taken
-- back with them, on all levels at once, so that it always equals a count of the rows; a test holds it to that.
CREATE TABLE event_count (
    level      INTEGER NOT NULL,
    kind       INTEGER NOT NULL,
    bucket     BIGINT  NOT NULL,
    service_id INTEGER NOT NULL,
    outcome    INTEGER NOT NULL,
    n          BIGINT  NOT NULL,
    PRIMARY KEY (level, kind, bucket, service_id, outcome)
) WITHOUT ROWID;
-- Of what was taken back nothing is left: to be swept.
CREATE INDEX event_count_none ON event_count (n) WHERE n = 0;

INSERT INTO event_count (level, kind, bucket, service_id, outcome, n)
SELECT l.value, e.kind, e.minute - ((e.minute % l.value) + l.value) % l.value, e.service_id, e.outcome, sum(e.n)
FROM (SELECT kind, minute, service_id, outcome, count(*) AS n FROM event_row GROUP BY 1, 2, 3, 4) e
CROSS JOIN json_each('[60, 600, 3600]') l
GROUP BY 1, 2, 3, 4, 5;
