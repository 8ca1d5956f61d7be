-- Names of several services become one row; what referred to the others refers to it.
CREATE TABLE result_after AS SELECT * FROM result;
CREATE TABLE result_same AS
SELECT r.id, (SELECT min(s.id) FROM result s WHERE s.value = r.value) AS kept FROM result r;
CREATE UNIQUE INDEX result_same_id ON result_same (id);
UPDATE tx SET result_id = (SELECT kept FROM result_same s WHERE s.id = result_id) WHERE result_id IS NOT NULL;
CREATE TABLE roll_tx_after AS
SELECT r.level, r.group_id, r.bucket, coalesce(s.kept, r.result_id) AS result_id, r.outcome,
       sum(r.count) AS count, sum(r.n) AS n, sum(r.sum) AS sum, max(r.max) AS max
FROM roll_tx r LEFT JOIN result_same s ON s.id = r.result_id
GROUP BY 1, 2, 3, 4, 5;
DELETE FROM roll_tx;
INSERT INTO roll_tx (level, group_id, bucket, result_id, outcome, count, n, sum, max) SELECT * FROM roll_tx_after;
DROP TABLE roll_tx_after;
DROP TABLE result;
CREATE TABLE result (
    id        INTEGER NOT NULL PRIMARY KEY,
    value     TEXT    NOT NULL UNIQUE,
    last_seen INTEGER NOT NULL
);
INSERT INTO result (id, value, last_seen) SELECT min(id), value, max(last_seen) FROM result_after GROUP BY value;
DROP TABLE result_same;
DROP TABLE result_after;

CREATE TABLE metric_name_after AS SELECT * FROM metric_name;
CREATE TABLE metric_name_same AS
SELECT n.id, (SELECT min(s.id) FROM metric_name s WHERE s.name = n.name) AS kept FROM metric_name n;
CREATE UNIQUE INDEX metric_name_same_id ON metric_name_same (id);
UPDATE OR REPLACE metric_sample
SET name_id = (SELECT kept FROM metric_name_same s WHERE s.id = name_id)
WHERE name_id IN (SELECT id FROM metric_name_same WHERE id <> kept);
DROP TABLE metric_name;
CREATE TABLE metric_name (
    id        INTEGER NOT NULL PRIMARY KEY,
    name      TEXT    NOT NULL UNIQUE,
    last_seen INTEGER NOT NULL
);
INSERT INTO metric_name (id, name, last_seen) SELECT min(id), name, max(last_seen) FROM metric_name_after GROUP BY name;
DROP TABLE metric_name_same;
DROP TABLE metric_name_after;
