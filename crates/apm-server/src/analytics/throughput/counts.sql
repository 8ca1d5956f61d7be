-- Numbers of transactions of every tx_group by result, in neighbouring buckets of one level (seconds since 1970).
-- Result 0: none.
SELECT r.bucket, g.id, r.result_id AS result, sum(r.count) AS count
FROM tx_group g
CROSS JOIN roll_tx r ON r.level = :level AND r.group_id = g.id AND r.bucket >= :from AND r.bucket < :to
GROUP BY g.id, r.bucket, r.result_id
