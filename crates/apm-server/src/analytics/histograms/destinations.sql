-- Histogram bins of every destination in neighbouring buckets of one level (seconds since 1970), ids in order.
SELECT g.id, r.bucket, r.bin, r.count
FROM destination g
CROSS JOIN roll_destination_hist r
    ON r.level = :level AND r.destination_id = g.id AND r.bucket >= :from AND r.bucket < :to
ORDER BY g.id
