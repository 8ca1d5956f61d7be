-- Histogram bins of every statement in neighbouring buckets of one level (seconds since 1970), ids in order.
SELECT g.id, r.bucket, r.bin, r.count
FROM statement g
CROSS JOIN roll_statement_hist r ON r.level = :level AND r.statement_id = g.id AND r.bucket >= :from AND r.bucket < :to
ORDER BY g.id
