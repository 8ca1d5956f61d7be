-- Everything that exact percentiles and distributions ask of a transaction, so that they read the index alone.
DROP INDEX tx_group_ts;
CREATE INDEX tx_group_ts ON tx (group_id, ts, duration, outcome, sample_rate);

-- How long the longest block spans: no block that ends later than that after a time reaches back to it.
CREATE INDEX block_width ON block (ts_max - ts_min);
