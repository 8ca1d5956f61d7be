DROP INDEX block_width;
DROP INDEX tx_group_ts;
CREATE INDEX tx_group_ts ON tx (group_id, ts, duration);
