-- Telemetry: what agents sent, in a shape that stays small and local as it grows.
--
-- Units    ts: microseconds since 1970 (event time). duration: microseconds. bucket, first_seen, last_seen, received: seconds since 1970.
-- Ids      16 lower-case hex digits are an INTEGER (64 bit), 32 are a BLOB (16 bytes), any other legal id is TEXT, all in the same column.
--          The v_* views print them as they were sent.
-- seq      one sequence in order of arrival for all kinds of events; its rest document is number seq % 128 of block seq / 128.
-- outcome  0 failure, 1 success, 2 unknown.
-- Absent keywords of dictionaries are '' so that they take part in their keys.

-- ── dictionaries ───────────────────────────────────────────────────────────────────────────────────────────────
-- last_seen is the time of arrival of the last use, exact to an hour: what nothing refers to any more is swept by it.

CREATE TABLE service (
    id            INTEGER NOT NULL PRIMARY KEY,
    name          TEXT    NOT NULL,
    environment   TEXT    NOT NULL,
    agent_name    TEXT    NOT NULL,
    agent_version TEXT    NOT NULL,
    language      TEXT    NOT NULL,
    version       TEXT    NOT NULL,
    first_seen    INTEGER NOT NULL,
    last_seen     INTEGER NOT NULL,
    UNIQUE (name, environment)
);

-- One per distinct metadata line.
CREATE TABLE resource (
    id         INTEGER NOT NULL PRIMARY KEY,
    service_id INTEGER NOT NULL REFERENCES service (id),
    hash       BIGINT  NOT NULL,
    document   TEXT    NOT NULL,
    last_seen  INTEGER NOT NULL
);
CREATE INDEX resource_hash ON resource (hash);

CREATE TABLE tx_group (
    id         INTEGER NOT NULL PRIMARY KEY,
    service_id INTEGER NOT NULL REFERENCES service (id),
    type       TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    last_seen  INTEGER NOT NULL,
    UNIQUE (service_id, type, name)
);

CREATE TABLE span_group (
    id         INTEGER NOT NULL PRIMARY KEY,
    service_id INTEGER NOT NULL REFERENCES service (id),
    name       TEXT    NOT NULL,
    type       TEXT    NOT NULL,
    subtype    TEXT    NOT NULL,
    action     TEXT    NOT NULL,
    last_seen  INTEGER NOT NULL,
    UNIQUE (service_id, name, type, subtype, action)
);

CREATE TABLE destination (
    id           INTEGER NOT NULL PRIMARY KEY,
    service_id   INTEGER NOT NULL REFERENCES service (id),
    resource     TEXT    NOT NULL,
    target_type  TEXT    NOT NULL,
    target_name  TEXT    NOT NULL,
    span_type    TEXT    NOT NULL,
    span_subtype TEXT    NOT NULL,
    last_seen    INTEGER NOT NULL,
    UNIQUE (service_id, resource, target_type, target_name)
);

-- fingerprint is a hash: two texts may share it, so the text is compared too.
CREATE TABLE statement (
    id          INTEGER NOT NULL PRIMARY KEY,
    service_id  INTEGER NOT NULL REFERENCES service (id),
    instance    TEXT    NOT NULL,
    subtype     TEXT    NOT NULL,
    fingerprint BIGINT  NOT NULL,
    normalized  TEXT    NOT NULL,
    sample      TEXT    NOT NULL,
    verb        TEXT    NOT NULL,
    table_name  TEXT    NOT NULL,
    first_seen  INTEGER NOT NULL,
    last_seen   INTEGER NOT NULL
);
CREATE INDEX statement_fingerprint ON statement (fingerprint);
CREATE INDEX statement_service ON statement (service_id);

CREATE TABLE error_group (
    id           INTEGER NOT NULL PRIMARY KEY,
    service_id   INTEGER NOT NULL REFERENCES service (id),
    grouping_key BIGINT  NOT NULL,
    type         TEXT    NOT NULL,
    message      TEXT    NOT NULL,
    culprit      TEXT    NOT NULL,
    handled      INTEGER,
    first_seen   INTEGER NOT NULL,
    last_seen    INTEGER NOT NULL,
    UNIQUE (service_id, grouping_key)
);

CREATE TABLE result (
    id        INTEGER NOT NULL PRIMARY KEY,
    value     TEXT    NOT NULL UNIQUE,
    last_seen INTEGER NOT NULL
);

CREATE TABLE metric_name (
    id        INTEGER NOT NULL PRIMARY KEY,
    name      TEXT    NOT NULL UNIQUE,
    last_seen INTEGER NOT NULL
);

-- ── events ─────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE tx (
    seq           INTEGER NOT NULL PRIMARY KEY,
    group_id      INTEGER NOT NULL,
    resource_id   INTEGER NOT NULL,
    ts            BIGINT  NOT NULL,
    duration      BIGINT  NOT NULL,
    trace_id      BLOB    NOT NULL,
    id            BLOB    NOT NULL,
    parent_id     BLOB,
    outcome       INTEGER NOT NULL,
    result_id     INTEGER,
    sampled       INTEGER NOT NULL,
    sample_rate   DOUBLE,
    status        INTEGER,
    spans_started INTEGER,
    spans_dropped INTEGER
);
CREATE INDEX tx_group_ts ON tx (group_id, ts, duration);

CREATE TABLE span (
    seq             INTEGER NOT NULL PRIMARY KEY,
    group_id        INTEGER NOT NULL,
    resource_id     INTEGER NOT NULL,
    ts              BIGINT  NOT NULL,
    duration        BIGINT  NOT NULL,
    trace_id        BLOB    NOT NULL,
    id              BLOB    NOT NULL,
    transaction_id  BLOB,
    parent_id       BLOB,
    outcome         INTEGER NOT NULL,
    destination_id  INTEGER,
    statement_id    INTEGER,
    status          INTEGER,
    composite_count INTEGER,
    composite_sum   BIGINT,
    sample_rate     DOUBLE
);
CREATE INDEX span_statement_ts ON span (statement_id, ts) WHERE statement_id IS NOT NULL;

CREATE TABLE error (
    seq            INTEGER NOT NULL PRIMARY KEY,
    group_id       INTEGER NOT NULL,
    resource_id    INTEGER NOT NULL,
    ts             BIGINT  NOT NULL,
    trace_id       BLOB,
    id             BLOB    NOT NULL,
    transaction_id BLOB,
    parent_id      BLOB,
    tx_group_id    INTEGER
);
CREATE INDEX error_group_ts ON error (group_id, ts);

CREATE TABLE log (
    seq            INTEGER NOT NULL PRIMARY KEY,
    service_id     INTEGER NOT NULL,
    resource_id    INTEGER NOT NULL,
    ts             BIGINT  NOT NULL,
    trace_id       BLOB,
    transaction_id BLOB,
    span_id        BLOB,
    level          TEXT    NOT NULL
);
CREATE INDEX log_ts ON log (ts);

CREATE TABLE metricset (
    seq         INTEGER NOT NULL PRIMARY KEY,
    service_id  INTEGER NOT NULL,
    resource_id INTEGER NOT NULL,
    ts          BIGINT  NOT NULL
);

-- Samples with one number each; a histogram has no value here and is read from its document.
CREATE TABLE metric_sample (
    service_id INTEGER NOT NULL,
    name_id    INTEGER NOT NULL,
    ts         BIGINT  NOT NULL,
    seq        INTEGER NOT NULL,
    value      DOUBLE,
    PRIMARY KEY (service_id, name_id, ts, seq)
) WITHOUT ROWID;

-- ── what the rows do not hold ──────────────────────────────────────────────────────────────────────────────────

-- 128 rest documents, zstd; received, ts_min and ts_max say when they arrived and what time they span.
CREATE TABLE block (
    id       INTEGER NOT NULL PRIMARY KEY,
    received INTEGER NOT NULL,
    ts_min   BIGINT  NOT NULL,
    ts_max   BIGINT  NOT NULL,
    events   INTEGER NOT NULL,
    data     BLOB    NOT NULL
);
CREATE INDEX block_ts ON block (ts_max, ts_min);

-- Stack traces, once each, zstd.
CREATE TABLE stack (
    id        INTEGER NOT NULL PRIMARY KEY,
    hash      BIGINT  NOT NULL,
    last_seen INTEGER NOT NULL,
    data      BLOB    NOT NULL
);
CREATE INDEX stack_hash ON stack (hash);

-- Which blocks hold a trace: key = (seq / 131072) << 40 | 40 bits of a hash of the trace id. Keyed by arrival first, so that only the
-- newest part is written to, at any size of the table; a look-up probes each segment.
CREATE TABLE trace_at (
    key   BIGINT  NOT NULL,
    block INTEGER NOT NULL,
    PRIMARY KEY (key, block)
) WITHOUT ROWID;

-- ── rollups ────────────────────────────────────────────────────────────────────────────────────────────────────
-- level: width of the bucket in seconds (60, 600, 3600), by event time. count and sum are weighted by 1 / sample_rate, n counts rows.
-- bin = ceil(ln(duration) / ln(1.02)); its representative duration is 2 * 1.02^bin / 2.02.

CREATE TABLE roll_tx (
    level     INTEGER NOT NULL,
    group_id  INTEGER NOT NULL,
    bucket    BIGINT  NOT NULL,
    result_id INTEGER NOT NULL, -- 0: none
    outcome   INTEGER NOT NULL,
    count     DOUBLE  NOT NULL,
    n         BIGINT  NOT NULL,
    sum       DOUBLE  NOT NULL,
    max       BIGINT  NOT NULL,
    PRIMARY KEY (level, group_id, bucket, result_id, outcome)
) WITHOUT ROWID;

CREATE TABLE roll_tx_hist (
    level    INTEGER NOT NULL,
    group_id INTEGER NOT NULL,
    bucket   BIGINT  NOT NULL,
    outcome  INTEGER NOT NULL,
    bin      INTEGER NOT NULL,
    count    DOUBLE  NOT NULL,
    PRIMARY KEY (level, group_id, bucket, outcome, bin)
) WITHOUT ROWID;

CREATE TABLE roll_statement (
    level        INTEGER NOT NULL,
    statement_id INTEGER NOT NULL,
    bucket       BIGINT  NOT NULL,
    outcome      INTEGER NOT NULL,
    count        DOUBLE  NOT NULL,
    n            BIGINT  NOT NULL,
    sum          DOUBLE  NOT NULL,
    max          BIGINT  NOT NULL,
    PRIMARY KEY (level, statement_id, bucket, outcome)
) WITHOUT ROWID;

CREATE TABLE roll_statement_hist (
    level        INTEGER NOT NULL,
    statement_id INTEGER NOT NULL,
    bucket       BIGINT  NOT NULL,
    outcome      INTEGER NOT NULL,
    bin          INTEGER NOT NULL,
    count        DOUBLE  NOT NULL,
    PRIMARY KEY (level, statement_id, bucket, outcome, bin)
) WITHOUT ROWID;

CREATE TABLE roll_destination (
    level          INTEGER NOT NULL,
    destination_id INTEGER NOT NULL,
    bucket         BIGINT  NOT NULL,
    outcome        INTEGER NOT NULL,
    count          DOUBLE  NOT NULL,
    n              BIGINT  NOT NULL,
    sum            DOUBLE  NOT NULL,
    max            BIGINT  NOT NULL,
    PRIMARY KEY (level, destination_id, bucket, outcome)
) WITHOUT ROWID;

CREATE TABLE roll_destination_hist (
    level          INTEGER NOT NULL,
    destination_id INTEGER NOT NULL,
    bucket         BIGINT  NOT NULL,
    outcome        INTEGER NOT NULL,
    bin            INTEGER NOT NULL,
    count          DOUBLE  NOT NULL,
    PRIMARY KEY (level, destination_id, bucket, outcome, bin)
) WITHOUT ROWID;

CREATE TABLE roll_error (
    level    INTEGER NOT NULL,
    group_id INTEGER NOT NULL,
    bucket   BIGINT  NOT NULL,
    n        BIGINT  NOT NULL,
    PRIMARY KEY (level, group_id, bucket)
) WITHOUT ROWID;

-- Self time by kind of span, from the agents' breakdown metrics; sum in microseconds.
CREATE TABLE roll_breakdown (
    level       INTEGER NOT NULL,
    tx_group_id INTEGER NOT NULL,
    bucket      BIGINT  NOT NULL,
    span_type   TEXT    NOT NULL,
    subtype     TEXT    NOT NULL,
    count       DOUBLE  NOT NULL,
    sum         DOUBLE  NOT NULL,
    PRIMARY KEY (level, tx_group_id, bucket, span_type, subtype)
) WITHOUT ROWID;

-- When anything last arrived for a bucket: rollups are kept by arrival, for an agent may send old events and they stay.
CREATE TABLE roll_received (
    level    INTEGER NOT NULL,
    bucket   BIGINT  NOT NULL,
    received INTEGER NOT NULL,
    PRIMARY KEY (level, bucket)
) WITHOUT ROWID;

-- ── views, for people with a SQL prompt ────────────────────────────────────────────────────────────────────────

CREATE VIEW v_transactions AS
SELECT t.seq,
       s.name AS service,
       s.environment,
       g.type,
       g.name,
       strftime('%Y-%m-%dT%H:%M:%f', t.ts / 1e6, 'unixepoch') || 'Z' AS time,
       t.duration / 1000.0 AS duration_ms,
       CASE t.outcome WHEN 0 THEN 'failure' WHEN 1 THEN 'success' ELSE 'unknown' END AS outcome,
       r.value AS result,
       t.status,
       CASE typeof(t.trace_id) WHEN 'integer' THEN printf('%016x', t.trace_id) WHEN 'blob' THEN lower(hex(t.trace_id)) ELSE t.trace_id END AS trace_id,
       CASE typeof(t.id) WHEN 'integer' THEN printf('%016x', t.id) WHEN 'blob' THEN lower(hex(t.id)) ELSE t.id END AS id,
       CASE typeof(t.parent_id) WHEN 'integer' THEN printf('%016x', t.parent_id) WHEN 'blob' THEN lower(hex(t.parent_id)) ELSE t.parent_id END AS parent_id,
       t.sampled,
       t.sample_rate,
       t.spans_started,
       t.spans_dropped
FROM tx t
JOIN tx_group g ON g.id = t.group_id
JOIN service s ON s.id = g.service_id
LEFT JOIN result r ON r.id = t.result_id;

CREATE VIEW v_spans AS
SELECT p.seq,
       s.name AS service,
       s.environment,
       g.name,
       g.type,
       g.subtype,
       g.action,
       strftime('%Y-%m-%dT%H:%M:%f', p.ts / 1e6, 'unixepoch') || 'Z' AS time,
       p.duration / 1000.0 AS duration_ms,
       CASE p.outcome WHEN 0 THEN 'failure' WHEN 1 THEN 'success' ELSE 'unknown' END AS outcome,
       d.resource AS destination,
       q.normalized AS statement,
       p.status,
       CASE typeof(p.trace_id) WHEN 'integer' THEN printf('%016x', p.trace_id) WHEN 'blob' THEN lower(hex(p.trace_id)) ELSE p.trace_id END AS trace_id,
       CASE typeof(p.id) WHEN 'integer' THEN printf('%016x', p.id) WHEN 'blob' THEN lower(hex(p.id)) ELSE p.id END AS id,
       CASE typeof(p.parent_id) WHEN 'integer' THEN printf('%016x', p.parent_id) WHEN 'blob' THEN lower(hex(p.parent_id)) ELSE p.parent_id END AS parent_id,
       CASE typeof(p.transaction_id) WHEN 'integer' THEN printf('%016x', p.transaction_id) WHEN 'blob' THEN lower(hex(p.transaction_id)) ELSE p.transaction_id END AS transaction_id,
       p.composite_count,
       p.composite_sum / 1000.0 AS composite_sum_ms,
       p.sample_rate
FROM span p
JOIN span_group g ON g.id = p.group_id
JOIN service s ON s.id = g.service_id
LEFT JOIN destination d ON d.id = p.destination_id
LEFT JOIN statement q ON q.id = p.statement_id;

CREATE VIEW v_errors AS
SELECT e.seq,
       s.name AS service,
       s.environment,
       printf('%016x', g.grouping_key) AS grouping_key,
       g.type,
       g.message,
       g.culprit,
       g.handled,
       strftime('%Y-%m-%dT%H:%M:%f', e.ts / 1e6, 'unixepoch') || 'Z' AS time,
       x.name AS "transaction",
       CASE typeof(e.trace_id) WHEN 'integer' THEN printf('%016x', e.trace_id) WHEN 'blob' THEN lower(hex(e.trace_id)) ELSE e.trace_id END AS trace_id,
       CASE typeof(e.id) WHEN 'integer' THEN printf('%016x', e.id) WHEN 'blob' THEN lower(hex(e.id)) ELSE e.id END AS id,
       CASE typeof(e.parent_id) WHEN 'integer' THEN printf('%016x', e.parent_id) WHEN 'blob' THEN lower(hex(e.parent_id)) ELSE e.parent_id END AS parent_id,
       CASE typeof(e.transaction_id) WHEN 'integer' THEN printf('%016x', e.transaction_id) WHEN 'blob' THEN lower(hex(e.transaction_id)) ELSE e.transaction_id END AS transaction_id
FROM error e
JOIN error_group g ON g.id = e.group_id
JOIN service s ON s.id = g.service_id
LEFT JOIN tx_group x ON x.id = e.tx_group_id;

CREATE VIEW v_statements AS
SELECT q.id,
       s.name AS service,
       s.environment,
       printf('%016x', q.fingerprint) AS fingerprint,
       q.verb,
       q.table_name,
       q.instance,
       q.subtype,
       q.normalized AS statement,
       q.sample,
       strftime('%Y-%m-%dT%H:%M:%S', q.first_seen, 'unixepoch') || 'Z' AS first_seen,
       coalesce(sum(r.count), 0) AS calls,
       coalesce(sum(r.sum), 0) / 1000.0 AS total_ms,
       coalesce(sum(r.sum) / nullif(sum(r.count), 0), 0) / 1000.0 AS avg_ms,
       coalesce(max(r.max), 0) / 1000.0 AS max_ms
FROM statement q
JOIN service s ON s.id = q.service_id
LEFT JOIN roll_statement r ON r.level = 3600 AND r.statement_id = q.id
GROUP BY q.id;

CREATE VIEW v_metrics AS
SELECT m.seq,
       s.name AS service,
       s.environment,
       n.name AS metric,
       strftime('%Y-%m-%dT%H:%M:%f', m.ts / 1e6, 'unixepoch') || 'Z' AS time,
       m.value
FROM metric_sample m
JOIN metric_name n ON n.id = m.name_id
JOIN service s ON s.id = m.service_id;
