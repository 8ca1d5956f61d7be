-- A statement of a service and a metadata line are there once, and the database sees to it.
--
-- Statements that are there twice become one row; what referred to the others refers to the oldest. Where nothing is there twice, which
-- is what the writer has always seen to, only the statements themselves are read.
CREATE TABLE statement_same (
    id   INTEGER NOT NULL PRIMARY KEY,
    kept INTEGER NOT NULL
);
INSERT INTO statement_same (id, kept)
SELECT id, kept
FROM (SELECT id, min(id) OVER (PARTITION BY service_id, fingerprint, instance, subtype) AS kept FROM statement)
WHERE id <> kept;

UPDATE span
SET statement_id = (SELECT kept FROM statement_same s WHERE s.id = statement_id)
WHERE statement_id IN (SELECT id FROM statement_same);

INSERT INTO roll_statement (level, statement_id, bucket, outcome, count, n, sum, max)
SELECT r.level, s.kept, r.bucket, r.outcome, r.count, r.n, r.sum, r.max
FROM statement_same s
CROSS JOIN json_each('[60, 600, 3600]') l
CROSS JOIN roll_statement r ON r.level = l.value AND r.statement_id = s.id
WHERE true
ON CONFLICT DO UPDATE
SET count = count + excluded.count, n = n + excluded.n, sum = sum + excluded.sum, max = max(max, excluded.max);
DELETE FROM roll_statement
WHERE level IN (60, 600, 3600) AND statement_id IN (SELECT id FROM statement_same);

INSERT INTO roll_statement_hist (level, statement_id, bucket, outcome, bin, count)
SELECT r.level, s.kept, r.bucket, r.outcome, r.bin, r.count
FROM statement_same s
CROSS JOIN json_each('[60, 600, 3600]') l
CROSS JOIN roll_statement_hist r ON r.level = l.value AND r.statement_id = s.id
WHERE true
ON CONFLICT DO UPDATE SET count = count + excluded.count;
DELETE FROM roll_statement_hist
WHERE level IN (60, 600, 3600) AND statement_id IN (SELECT id FROM statement_same);

INSERT INTO roll_caller (
    level, bucket, tx_group_id, statement_id, requests, calls, most, sum, tx_sum, follows, trace_id, looped
)
SELECT r.level, r.bucket, r.tx_group_id, s.kept, r.requests, r.calls, r.most, r.sum, r.tx_sum, r.follows, r.trace_id, r.looped
FROM statement_same s
CROSS JOIN json_each('[60, 600, 3600]') l
CROSS JOIN roll_caller r INDEXED BY roll_caller_statement ON r.level = l.value AND r.statement_id = s.id
WHERE true
ON CONFLICT DO UPDATE
SET requests = requests + excluded.requests, calls = calls + excluded.calls, most = max(most, excluded.most),
    sum = sum + excluded.sum, tx_sum = tx_sum + excluded.tx_sum, follows = follows + excluded.follows,
    looped = looped + excluded.looped;
DELETE FROM roll_caller
WHERE level IN (60, 600, 3600) AND statement_id IN (SELECT id FROM statement_same);

UPDATE statement
SET last_seen = max(last_seen, (SELECT max(o.last_seen) FROM statement_same s JOIN statement o ON o.id = s.id WHERE s.kept = statement.id))
WHERE id IN (SELECT kept FROM statement_same);
DELETE FROM statement WHERE id IN (SELECT id FROM statement_same);
DROP TABLE statement_same;

DROP INDEX statement_identity;
CREATE UNIQUE INDEX statement_identity ON statement (service_id, fingerprint, instance, subtype);

-- Events refer to metadata lines without an index. One that is there twice stays, under a hash that no text has; it goes with its events.
UPDATE resource
SET hash = -id
WHERE id IN (SELECT id FROM (
    SELECT id, min(id) OVER (PARTITION BY service_id, hash) AS kept FROM resource
) WHERE id <> kept);

DROP INDEX resource_identity;
CREATE UNIQUE INDEX resource_identity ON resource (service_id, hash);
