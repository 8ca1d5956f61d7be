-- The use of one statement, or of all of them (statement_id 0), by requests of each transaction group, in neighbouring
-- buckets of one level (seconds since 1970); times in microseconds.
SELECT bucket, statement_id, tx_group_id, requests, calls, most, sum, tx_sum, trace_id
FROM roll_caller INDEXED BY roll_caller_statement
WHERE level = :level AND statement_id = :statement AND bucket >= :from AND bucket < :to
