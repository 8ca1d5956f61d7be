-- Histograms of the statement by minute, in the order of the key; at: seconds. bin: see percentile.rs.
SELECT bucket AS at, bin, count
FROM roll_statement_hist
WHERE level = 60 AND statement_id = :statement AND bucket >= :from AND bucket < :to AND outcome <> 0
ORDER BY bucket, outcome, bin
