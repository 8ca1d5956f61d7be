-- Numbers of every statement in neighbouring buckets of one level (seconds since 1970), ids in order; durations in µs.
SELECT g.id,
       r.bucket,
       sum(r.count) AS count,
       sum(r.n) AS n,
       sum(r.sum) AS sum,
       max(r.max) AS max,
       coalesce(sum(r.count) FILTER (WHERE r.outcome = 0), 0.0) AS failures,
       coalesce(sum(r.count) FILTER (WHERE r.outcome = 1), 0.0) AS successes
FROM statement g
CROSS JOIN roll_statement r ON r.level = :level AND r.statement_id = g.id AND r.bucket >= :from AND r.bucket < :to
GROUP BY g.id, r.bucket
ORDER BY g.id
