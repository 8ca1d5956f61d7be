-- Histogram bins of every tx_group in neighbouring buckets of one level (seconds since 1970), ids in order.
SELECT g.id, r.bucket, r.bin, r.count
FROM tx_group g
CROSS JOIN roll_tx_hist r ON r.level = :level AND r.group_id = g.id AND r.bucket >= :from AND r.bucket < :to
ORDER BY g.id
