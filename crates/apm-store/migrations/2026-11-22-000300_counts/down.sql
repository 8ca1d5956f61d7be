DROP TABLE roll_behind;
DROP INDEX block_ts;
CREATE INDEX block_ts ON block (ts_max, ts_min);
