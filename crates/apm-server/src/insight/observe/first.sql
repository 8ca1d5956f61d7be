-- The number of the first request from a time on.
SELECT coalesce((SELECT min(seq) FROM tx WHERE ts >= :since), (SELECT max(seq) FROM tx), 0) AS n
