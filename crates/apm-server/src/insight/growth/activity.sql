-- In how many minutes the statement ran, how many spans it has, and from when to when: microseconds.
SELECT count(DISTINCT bucket) AS minutes,
       coalesce(sum(n), 0) AS n,
       coalesce(sum(count) FILTER (WHERE outcome <> 0), 0.0) AS calls,
       coalesce(min(bucket), 0) * 1000000 AS first,
       (coalesce(max(bucket), 0) + 60) * 1000000 AS last
FROM roll_statement
WHERE level = 60 AND statement_id = :statement AND bucket >= :from AND bucket < :to
