-- With the number of events in the index, Discover counts them without reading the blocks.
DROP INDEX block_ts;
CREATE INDEX block_ts ON block (ts_max, ts_min, events);

-- Minutes (seconds since 1970) whose counts the coarser rollups lack: under load these are written once a second.
CREATE TABLE roll_behind (
    bucket BIGINT NOT NULL PRIMARY KEY
) WITHOUT ROWID;
