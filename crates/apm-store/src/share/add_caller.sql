-- Adds to a bucket.
INSERT INTO roll_caller (
    level, bucket, tx_group_id, statement_id, requests, calls, most, sum, tx_sum, follows, trace_id, looped
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    requests = requests + excluded.requests,
    calls = calls + excluded.calls,
    trace_id = CASE WHEN excluded.most >= most THEN excluded.trace_id ELSE trace_id END,
    most = max(most, excluded.most),
    sum = sum + excluded.sum,
    tx_sum = tx_sum + excluded.tx_sum,
    follows = follows + excluded.follows,
    looped = looped + excluded.looped
