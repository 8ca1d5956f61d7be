-- Adds to a bucket.
INSERT INTO roll_caller VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    requests = requests + excluded.requests,
    calls = calls + excluded.calls,
    trace_id = CASE WHEN excluded.most >= most THEN excluded.trace_id ELSE trace_id END,
    most = max(most, excluded.most),
    sum = sum + excluded.sum,
    tx_sum = tx_sum + excluded.tx_sum,
    follows = follows + excluded.follows
