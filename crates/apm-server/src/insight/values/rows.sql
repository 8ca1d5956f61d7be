-- About how many rows a table has: the newest sample of its gauge, else the INSERTs that were seen.
SELECT coalesce(
    (SELECT m.value
     FROM metric_name n
     JOIN metric_sample m ON m.service_id = :service AND m.name_id = n.id
     WHERE n.service_id IN (0, :service) AND n.name = :gauge
     ORDER BY m.ts DESC
     LIMIT 1),
    (SELECT sum(r.count)
     FROM statement q
     CROSS JOIN roll_statement r ON r.level = 3600 AND r.statement_id = q.id AND r.outcome <> 0
     WHERE q.service_id = :service AND q.verb IN ('INSERT', 'REPLACE') AND q.table_name = :table)
) AS n
