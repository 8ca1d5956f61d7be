-- What is known of SQL beyond the rollups: who runs which statement how often, findings, and points in time to compare by.

-- Requests of a transaction group that ran a statement: worked out behind the intake from the newest events, so under load a
-- sample. statement_id 0 stands for all statements of all requests, those without any among them.
CREATE TABLE roll_caller (
    level        INTEGER NOT NULL,
    bucket       BIGINT  NOT NULL,
    tx_group_id  INTEGER NOT NULL,
    statement_id INTEGER NOT NULL,
    requests     BIGINT  NOT NULL,
    calls        DOUBLE  NOT NULL,
    most         DOUBLE  NOT NULL, -- calls in one request
    sum          DOUBLE  NOT NULL, -- time of the calls, microseconds
    tx_sum       DOUBLE  NOT NULL, -- time of the requests, microseconds
    follows      BIGINT  NOT NULL, -- requests in which a SELECT of another statement came before
    trace_id     BLOB    NOT NULL, -- of a request with the most calls
    PRIMARY KEY (level, bucket, tx_group_id, statement_id)
) WITHOUT ROWID;

-- Up to which event that was done, and the like.
CREATE TABLE insight_state (
    name  TEXT   NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
) WITHOUT ROWID;

-- id: hash of what it is about, so that one that comes again is the same. severity: 0 notice, 1 cost, 2 grave. saving: microseconds per
-- minute. ended: when it stopped to hold; dismissed: when someone said not to show it. Times in seconds since 1970.
CREATE TABLE finding (
    id          TEXT    NOT NULL PRIMARY KEY,
    kind        TEXT    NOT NULL,
    service     TEXT    NOT NULL,
    environment TEXT    NOT NULL,
    severity    INTEGER NOT NULL,
    saving      DOUBLE  NOT NULL,
    document    TEXT    NOT NULL,
    first_seen  BIGINT  NOT NULL,
    last_seen   BIGINT  NOT NULL,
    ended       BIGINT,
    dismissed   BIGINT
);

-- kind: manual, version or start. service '' is every service. ts in microseconds since 1970.
CREATE TABLE marker (
    id      INTEGER NOT NULL PRIMARY KEY,
    ts      BIGINT  NOT NULL,
    service TEXT    NOT NULL,
    kind    TEXT    NOT NULL,
    name    TEXT    NOT NULL
);
CREATE INDEX marker_ts ON marker (ts);

-- The last version of each service that was seen.
CREATE TABLE service_version (
    service TEXT NOT NULL PRIMARY KEY,
    version TEXT NOT NULL
) WITHOUT ROWID;
