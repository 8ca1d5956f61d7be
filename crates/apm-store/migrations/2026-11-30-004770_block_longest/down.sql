DROP INDEX block_ts;
CREATE INDEX block_ts ON block (ts_max, ts_min, events);
ALTER TABLE block DROP COLUMN span_longest;
ALTER TABLE block DROP COLUMN tx_longest;
