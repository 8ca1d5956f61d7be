-- The output of events to a search engine: how far it is. One row once an output was switched on.
-- store: the first part of the ids of documents. sent: the number of the last event that is done: the engine has it, or refused it.
-- flight_*: the documents that are being sent. Until they are done nobody knows which of them the engine has.
--   kind 0: events, by their numbers; 1: aggregates, by the ids of output_aggregate.
-- minute, ten_minutes, hour: the number of the last event that is counted in output_aggregate, by the width of the buckets.
-- documents, repeated, lost: counts of documents that the engine took, that it had already, and of events that were deleted before.
CREATE TABLE output (
    id           INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    store        TEXT    NOT NULL,
    sent         BIGINT  NOT NULL,
    flight_kind  INTEGER,
    flight_first BIGINT,
    flight_last  BIGINT,
    flight_count BIGINT,
    minute       BIGINT  NOT NULL,
    ten_minutes  BIGINT  NOT NULL,
    hour         BIGINT  NOT NULL,
    documents    BIGINT  NOT NULL,
    repeated     BIGINT  NOT NULL,
    lost         BIGINT  NOT NULL
);

-- Aggregates that are to be sent, as JSON. Their ids are never used again.
CREATE TABLE output_aggregate (
    id       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    dataset  TEXT    NOT NULL,
    document BLOB    NOT NULL
);

-- Documents that the engine refused for good, by the type of its error.
CREATE TABLE output_refused (
    reason TEXT   NOT NULL PRIMARY KEY,
    count  BIGINT NOT NULL
) WITHOUT ROWID;

-- The last of them. at: seconds since 1970. document: the beginning of it.
CREATE TABLE output_refusal (
    id       INTEGER NOT NULL PRIMARY KEY,
    at       BIGINT  NOT NULL,
    reason   TEXT    NOT NULL,
    error    TEXT    NOT NULL,
    document TEXT    NOT NULL
);
