-- Traces that stay when the blocks around them go (docs/adr/0345-retention-keeps-what-matters.md).
--
-- trace_id: as in the rows of events; of an error without a trace it is the id of the error. events and bytes: of what is in blocks that
-- were thinned out.
CREATE TABLE kept_trace (
    trace_id BLOB    NOT NULL PRIMARY KEY,
    events   INTEGER NOT NULL,
    bytes    BIGINT  NOT NULL
) WITHOUT ROWID;

-- What each of them is kept for. reason: 1 pinned, 2 error, 3 failed transaction, 4 slowest of its group in its hour, 5 sample of a
-- statement, 9 nothing any more. subject: the id of its error group, transaction group or statement. plan: the id of the plan, 0: none.
-- hour: of the event, or when the trace was pinned, seconds since 1970.
CREATE TABLE kept_for (
    trace_id BLOB    NOT NULL,
    reason   INTEGER NOT NULL,
    subject  INTEGER NOT NULL,
    plan     INTEGER NOT NULL,
    hour     BIGINT  NOT NULL,
    PRIMARY KEY (trace_id, reason, subject, plan)
) WITHOUT ROWID;
CREATE INDEX kept_for_subject ON kept_for (reason, subject, plan, hour);
CREATE INDEX kept_for_hour ON kept_for (reason, hour);

-- What each reason comes to: a trace counts for each of its reasons, once. Written by triggers alone, and so are the traces without a
-- reason: those that have nothing in thinned blocks are forgotten, the others get reason 9.
CREATE TABLE kept_room (
    reason INTEGER NOT NULL PRIMARY KEY,
    traces INTEGER NOT NULL,
    bytes  BIGINT  NOT NULL
);
CREATE TRIGGER kept_for_comes AFTER INSERT ON kept_for
BEGIN
    INSERT OR IGNORE INTO kept_trace (trace_id, events, bytes) VALUES (NEW.trace_id, 0, 0);
    INSERT OR IGNORE INTO kept_room (reason, traces, bytes) VALUES (NEW.reason, 0, 0);
    UPDATE kept_room
    SET traces = traces + 1, bytes = bytes + (SELECT t.bytes FROM kept_trace t WHERE t.trace_id = NEW.trace_id)
    WHERE reason = NEW.reason
        AND 1 = (SELECT count(*) FROM kept_for f WHERE f.trace_id = NEW.trace_id AND f.reason = NEW.reason);
    DELETE FROM kept_for WHERE trace_id = NEW.trace_id AND reason = 9 AND NEW.reason <> 9;
END;
CREATE TRIGGER kept_for_goes AFTER DELETE ON kept_for
BEGIN
    UPDATE kept_room
    SET traces = traces - 1,
        bytes = bytes - coalesce((SELECT t.bytes FROM kept_trace t WHERE t.trace_id = OLD.trace_id), 0)
    WHERE reason = OLD.reason
        AND NOT EXISTS (SELECT 1 FROM kept_for f WHERE f.trace_id = OLD.trace_id AND f.reason = OLD.reason);
    DELETE FROM kept_trace
    WHERE trace_id = OLD.trace_id AND events = 0 AND OLD.reason <> 9
        AND NOT EXISTS (SELECT 1 FROM kept_for f WHERE f.trace_id = OLD.trace_id);
    INSERT INTO kept_for (trace_id, reason, subject, plan, hour)
    SELECT t.trace_id, 9, 0, 0, OLD.hour
    FROM kept_trace t
    WHERE t.trace_id = OLD.trace_id AND OLD.reason <> 9
        AND NOT EXISTS (SELECT 1 FROM kept_for f WHERE f.trace_id = OLD.trace_id);
END;
CREATE TRIGGER kept_trace_grows AFTER UPDATE OF bytes ON kept_trace
BEGIN
    UPDATE kept_room
    SET bytes = bytes + NEW.bytes - OLD.bytes
    WHERE reason IN (SELECT f.reason FROM kept_for f WHERE f.trace_id = NEW.trace_id);
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
