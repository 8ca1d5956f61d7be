-- Metrics by series, and their rollups.

-- The values of one metric with the same labels.
-- kind:   0 gauge, 1 counter, 2 up-down counter, 3 histogram, 4 summary.
-- unit:   as it was sent, such as By; nothing where none was.
-- labels: a JSON object whose names are sorted.
CREATE TABLE metric_series (
    id         INTEGER NOT NULL PRIMARY KEY,
    service_id INTEGER NOT NULL,
    name_id    INTEGER NOT NULL,
    kind       INTEGER NOT NULL,
    unit       TEXT    NOT NULL,
    labels     TEXT    NOT NULL,
    last_seen  INTEGER NOT NULL,
    UNIQUE (service_id, name_id, kind, unit, labels)
);

-- The last value of what is counted from a start, by process: what the next one is compared with.
-- start, ts: µs; start is 0 where none was sent. bins: pairs of a bin (32 bits) and its count (64 bits), little endian.
CREATE TABLE metric_state (
    series_id   INTEGER NOT NULL,
    resource_id INTEGER NOT NULL,
    start       BIGINT  NOT NULL,
    ts          BIGINT  NOT NULL,
    count       DOUBLE  NOT NULL,
    sum         DOUBLE  NOT NULL,
    bins        BLOB    NOT NULL,
    PRIMARY KEY (series_id, resource_id, start)
) WITHOUT ROWID;

-- n:     samples.
-- count: of gauges the values, of counters the seconds in which the sum arose, of distributions their values.
-- sum:   of gauges the sum of the values, of counters the increase, of distributions the sum of their values.
CREATE TABLE roll_metric (
    level     INTEGER NOT NULL,
    series_id INTEGER NOT NULL,
    bucket    BIGINT  NOT NULL,
    n         BIGINT  NOT NULL,
    count     DOUBLE  NOT NULL,
    sum       DOUBLE  NOT NULL,
    min       DOUBLE,
    max       DOUBLE,
    PRIMARY KEY (level, series_id, bucket)
) WITHOUT ROWID;

-- bin: of a positive value ceil(ln(value) / ln(1.02)), -100000 of zero, of a negative one -200000 less that of its size.
CREATE TABLE roll_metric_hist (
    level     INTEGER NOT NULL,
    series_id INTEGER NOT NULL,
    bucket    BIGINT  NOT NULL,
    bin       INTEGER NOT NULL,
    count     DOUBLE  NOT NULL,
    PRIMARY KEY (level, series_id, bucket, bin)
) WITHOUT ROWID;

-- Samples of before have no labels and no kind: one series of values for each name.
INSERT INTO metric_series (service_id, name_id, kind, unit, labels, last_seen)
SELECT s.id, n.id, 0, '', '{}', n.last_seen
FROM service s
JOIN metric_name n ON n.service_id IN (0, s.id)
WHERE EXISTS (SELECT 1 FROM metric_sample m WHERE m.service_id = s.id AND m.name_id = n.id);

INSERT INTO roll_metric (level, series_id, bucket, n, count, sum, min, max)
SELECT 60, s.id, m.ts / 60000000 * 60, count(*), count(*), sum(m.value), min(m.value), max(m.value)
FROM metric_series s
CROSS JOIN metric_sample m ON m.service_id = s.service_id AND m.name_id = s.name_id
WHERE m.value IS NOT NULL AND m.ts >= 0
GROUP BY s.id, m.ts / 60000000;

INSERT INTO roll_metric (level, series_id, bucket, n, count, sum, min, max)
SELECT 600, series_id, bucket / 600 * 600, sum(n), sum(count), sum(sum), min(min), max(max)
FROM roll_metric
WHERE level = 60
GROUP BY series_id, bucket / 600;

INSERT INTO roll_metric (level, series_id, bucket, n, count, sum, min, max)
SELECT 3600, series_id, bucket / 3600 * 3600, sum(n), sum(count), sum(sum), min(min), max(max)
FROM roll_metric
WHERE level = 60
GROUP BY series_id, bucket / 3600;

-- Retention goes by when something last came for a bucket.
INSERT OR IGNORE INTO roll_received (level, bucket, received)
SELECT DISTINCT level, bucket, bucket + level FROM roll_metric;
