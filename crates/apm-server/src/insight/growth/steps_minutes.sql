-- Mean steps of a call of the statement by minute, where they were measured; at: seconds.
SELECT bucket AS at, steps / measured AS value
FROM roll_statement_cost
WHERE level = 60 AND statement_id = :statement AND bucket >= :from AND bucket < :to AND measured > 0
ORDER BY bucket
