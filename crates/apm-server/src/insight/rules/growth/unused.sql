-- Requests of the callers of a statement since it was last run, at most :enough, and of how many requests one used to
-- run it.
WITH caller AS (
    SELECT r.tx_group_id,
           sum(r.requests) AS used,
           (SELECT sum(a.requests) FROM roll_caller a
            WHERE a.level = 60 AND a.bucket >= :from AND a.tx_group_id = r.tx_group_id AND a.statement_id = 0
              AND a.bucket <= max(r.bucket)) AS requests
    FROM roll_caller r INDEXED BY roll_caller_statement
    WHERE r.level = 60 AND r.bucket >= :from AND r.statement_id = :statement
    GROUP BY r.tx_group_id
)
SELECT (SELECT count(*) FROM (
           SELECT 1
           FROM caller c
           CROSS JOIN tx t ON t.group_id = c.tx_group_id
               AND t.ts > (SELECT max(ts) FROM span WHERE statement_id = :statement)
           WHERE t.sampled = 1
           LIMIT +:enough
       )) AS n,
       coalesce((SELECT sum(requests) * 1.0 / sum(used) FROM caller), 1.0) AS usual
