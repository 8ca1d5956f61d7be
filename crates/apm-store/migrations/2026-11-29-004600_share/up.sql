-- Counts that servers before one engine share. See docs/adr/0334.

-- What each commit of events added to the rollups: ids of names, bytes of rollup/journal.rs. It is read and deleted every few seconds.
CREATE TABLE share_journal (
    id     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    counts BLOB    NOT NULL
);

-- What was added to roll_caller, by minute.
CREATE TABLE share_caller (
    id           INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    bucket       BIGINT  NOT NULL,
    tx_group_id  INTEGER NOT NULL,
    statement_id INTEGER NOT NULL,
    requests     BIGINT  NOT NULL,
    calls        DOUBLE  NOT NULL,
    most         DOUBLE  NOT NULL,
    sum          DOUBLE  NOT NULL,
    tx_sum       DOUBLE  NOT NULL,
    follows      BIGINT  NOT NULL,
    trace_id     BLOB    NOT NULL,
    looped       DOUBLE  NOT NULL
);

-- Deltas for the other servers, until the engine has them: JSON with names in place of ids. A number is never given again.
CREATE TABLE share_delta (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    made   BIGINT  NOT NULL, -- seconds since 1970
    delta  BLOB    NOT NULL
);

-- One row. first: the number of the first delta of this store. sent: that of the last one that the engine has, or refused.
-- lost: deltas that were deleted before they were sent. refused: those that the engine does not take.
CREATE TABLE share_own (
    id      INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    first   BIGINT  NOT NULL,
    sent    BIGINT  NOT NULL,
    lost    BIGINT  NOT NULL,
    refused BIGINT  NOT NULL
);

-- One row: a name that stays when everything is deleted, so that a server knows what it said of itself before.
CREATE TABLE share_node (
    id   INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    node TEXT    NOT NULL
);

-- The other servers. number: the last delta of theirs that is in the rollups here. skipped: deltas that never came. dropped: rows of
-- deltas that could not be read or were too old.
CREATE TABLE share_peer (
    store   TEXT   NOT NULL PRIMARY KEY,
    name    TEXT   NOT NULL,
    number  BIGINT NOT NULL,
    skipped BIGINT NOT NULL,
    dropped BIGINT NOT NULL,
    taken   BIGINT NOT NULL -- when the last one was taken, seconds since 1970
) WITHOUT ROWID;
