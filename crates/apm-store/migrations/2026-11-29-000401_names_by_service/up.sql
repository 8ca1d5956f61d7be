-- Results and names of metrics belong to a service, so that they can be counted and limited by service. 0 is the service of the rows
-- that were there before: any service may refer to them.
CREATE TABLE result_before AS SELECT * FROM result;
DROP TABLE result;
CREATE TABLE result (
    id         INTEGER NOT NULL PRIMARY KEY,
    service_id INTEGER NOT NULL,
    value      TEXT    NOT NULL,
    last_seen  INTEGER NOT NULL,
    UNIQUE (service_id, value)
);
INSERT INTO result (id, service_id, value, last_seen) SELECT id, 0, value, last_seen FROM result_before;
DROP TABLE result_before;

CREATE TABLE metric_name_before AS SELECT * FROM metric_name;
DROP TABLE metric_name;
CREATE TABLE metric_name (
    id         INTEGER NOT NULL PRIMARY KEY,
    service_id INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    last_seen  INTEGER NOT NULL,
    UNIQUE (service_id, name)
);
INSERT INTO metric_name (id, service_id, name, last_seen) SELECT id, 0, name, last_seen FROM metric_name_before;
DROP TABLE metric_name_before;
