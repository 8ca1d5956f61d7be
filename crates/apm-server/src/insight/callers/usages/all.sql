-- What requests of each transaction group ask their databases, all statements together (statement_id 0), in neighbouring buckets of one
-- level (seconds since 1970); times in microseconds.
SELECT bucket, statement_id, tx_group_id, requests, calls, most, sum, tx_sum, trace_id
FROM roll_caller INDEXED BY roll_caller_statement
WHERE level = :level AND statement_id = 0 AND bucket >= :from AND bucket < :to
ORDER BY tx_group_id
