-- Means per call of a statement since :from, of the calls that were measured: rows scanned, returned and changed.
SELECT sum(scan_steps) / sum(measured) AS scanned,
       sum(rows_returned) / sum(measured) AS returned,
       sum(rows_changed) / sum(changing) AS changed
FROM roll_statement_cost
WHERE level = 60 AND statement_id = :statement AND bucket >= :from AND measured > 0
