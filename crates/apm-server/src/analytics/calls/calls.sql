-- Calls of every destination by the service that answered, in neighbouring buckets of one level (seconds since 1970);
-- durations in µs, as the caller measured them.
SELECT r.bucket,
       d.id,
       r.callee_id AS callee,
       sum(r.count) AS count,
       sum(r.n) AS n,
       sum(r.sum) AS sum,
       max(r.max) AS max,
       coalesce(sum(r.count) FILTER (WHERE r.outcome = 0), 0.0) AS failures,
       coalesce(sum(r.count) FILTER (WHERE r.outcome = 1), 0.0) AS successes
FROM destination d
CROSS JOIN roll_call r ON r.level = :level AND r.destination_id = d.id AND r.bucket >= :from AND r.bucket < :to
GROUP BY d.id, r.bucket, r.callee_id
ORDER BY d.id
