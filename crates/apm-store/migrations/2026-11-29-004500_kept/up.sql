-- Traces that stay when the blocks around them go (docs/adr/0345-retention-keeps-what-matters.md).
--
-- trace_id: as in the rows of events; of an error without a trace it is the id of the error. reason: 1 pinned, 2 error, 3 failed
-- transaction, 4 slowest of its group in its hour, 5 sample of a statement, 9 to go. subject: the id of its error group, transaction group
-- or statement. plan: the id of the plan, 0: none. hour: of the event, or when the trace was pinned, seconds since 1970. events and bytes:
-- of what is in blocks that were thinned out.
CREATE TABLE kept_trace (
    trace_id BLOB    NOT NULL PRIMARY KEY,
    reason   INTEGER NOT NULL,
    subject  INTEGER NOT NULL,
    plan     INTEGER NOT NULL,
    hour     BIGINT  NOT NULL,
    events   INTEGER NOT NULL,
    bytes    BIGINT  NOT NULL
) WITHOUT ROWID;
CREATE INDEX kept_trace_subject ON kept_trace (reason, subject, plan, hour);
CREATE INDEX kept_trace_hour ON kept_trace (reason, hour);

-- What each reason comes to, kept by triggers.
CREATE TABLE kept_room (
    reason INTEGER NOT NULL PRIMARY KEY,
    traces INTEGER NOT NULL,
    bytes  BIGINT  NOT NULL
);
CREATE TRIGGER kept_trace_comes AFTER INSERT ON kept_trace
BEGIN
    INSERT OR IGNORE INTO kept_room (reason, traces, bytes) VALUES (NEW.reason, 0, 0);
    UPDATE kept_room SET traces = traces + 1, bytes = bytes + NEW.bytes WHERE reason = NEW.reason;
END;
CREATE TRIGGER kept_trace_changes AFTER UPDATE OF reason, bytes ON kept_trace
BEGIN
    INSERT OR IGNORE INTO kept_room (reason, traces, bytes) VALUES (NEW.reason, 0, 0);
    UPDATE kept_room SET traces = traces - 1, bytes = bytes - OLD.bytes WHERE reason = OLD.reason;
    UPDATE kept_room SET traces = traces + 1, bytes = bytes + NEW.bytes WHERE reason = NEW.reason;
END;
CREATE TRIGGER kept_trace_goes AFTER DELETE ON kept_trace
BEGIN
    UPDATE kept_room SET traces = traces - 1, bytes = bytes - OLD.bytes WHERE reason = OLD.reason;
END;

-- Names that events in thinned blocks refer to. dictionary: 1 resource, 2 result, 3 span_group, 4 destination, 5 tx_group, 6 statement,
-- 7 error_group, 8 stack.
CREATE TABLE kept_name (
    block      INTEGER NOT NULL,
    dictionary INTEGER NOT NULL,
    id         INTEGER NOT NULL,
    PRIMARY KEY (block, dictionary, id)
) WITHOUT ROWID;
CREATE INDEX kept_name_id ON kept_name (dictionary, id);

-- One row. thinned: the first block that is whole; those before it hold kept traces only. chosen: the first block that was not looked
-- through for traces to keep.
CREATE TABLE kept_state (
    id      INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    thinned INTEGER NOT NULL,
    chosen  INTEGER NOT NULL
);
