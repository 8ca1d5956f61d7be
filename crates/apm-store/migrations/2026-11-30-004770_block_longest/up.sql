-- The longest transaction and the longest span of a block (µs; -1: it has none; NULL: a block of before, of which it is not known). A search
-- for durations beyond a bound leaves out the blocks that have none. In the index, as the rows of blocks are large. See docs/adr/0477.
ALTER TABLE block ADD COLUMN tx_longest BIGINT;
ALTER TABLE block ADD COLUMN span_longest BIGINT;
DROP INDEX block_ts;
CREATE INDEX block_ts ON block (ts_max, ts_min, events, tx_longest, span_longest);
