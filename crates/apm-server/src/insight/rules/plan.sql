-- Mean steps of a call of a statement before and since a full minute :at, within :around seconds. That minute is in
-- neither.
SELECT sum(steps) FILTER (WHERE bucket < :at) / sum(measured) FILTER (WHERE bucket < :at) AS before,
       sum(steps) FILTER (WHERE bucket > :at) / sum(measured) FILTER (WHERE bucket > :at) AS after
FROM roll_statement_cost
WHERE level = 60 AND statement_id = :statement AND bucket >= :at - :around AND bucket <= :at + :around
