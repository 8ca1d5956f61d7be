-- The use of statements by requests, in neighbouring buckets of one level (seconds since 1970); times in microseconds.
SELECT bucket, statement_id, tx_group_id, requests, calls, most, sum, tx_sum, trace_id
FROM roll_caller
WHERE level = :level AND bucket >= :from AND bucket < :to AND statement_id <> 0
