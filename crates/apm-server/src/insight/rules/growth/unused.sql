-- Requests of the callers of a statement since it was last run.
WITH used AS (
    SELECT tx_group_id, max(bucket) AS last
    FROM roll_caller
    WHERE level = 60 AND bucket >= :from AND statement_id = :statement
    GROUP BY tx_group_id
)
SELECT coalesce(sum(r.requests), 0) AS n
FROM roll_caller r
JOIN used u ON u.tx_group_id = r.tx_group_id
WHERE r.level = 60 AND r.bucket > (SELECT max(last) FROM used) AND r.statement_id = 0
