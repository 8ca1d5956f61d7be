-- The number of the newest event that matters here.
SELECT max(coalesce((SELECT max(seq) FROM tx), -1), coalesce((SELECT max(seq) FROM span), -1)) AS n
