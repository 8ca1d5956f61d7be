-- Histograms of the statement by minute; at: seconds. bin: see percentile.rs.
SELECT bucket AS at, bin, sum(count) AS count
FROM roll_statement_hist
WHERE level = 60 AND statement_id = :statement AND bucket >= :from AND bucket < :to AND outcome <> 0
GROUP BY bucket, bin
ORDER BY bucket, bin
