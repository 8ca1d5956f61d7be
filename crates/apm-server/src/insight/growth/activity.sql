-- In how many minutes the statement ran, and how many spans it has.
SELECT count(DISTINCT bucket) AS minutes, coalesce(sum(n), 0) AS n
FROM roll_statement
WHERE level = 60 AND statement_id = :statement AND bucket >= :from AND bucket < :to
