-- The bin of the 95th percentile of a group in a window; NULL where it has too few requests.
-- ?1 group, ?2 and ?3 from and to, ?4 least requests.
WITH binned AS (
    SELECT bin, sum(count) AS count
    FROM roll_tx_hist
    WHERE level = 3600 AND group_id = ?1 AND bucket >= ?2 AND bucket < ?3
    GROUP BY bin
),
ranked AS (
    SELECT bin, sum(count) OVER (ORDER BY bin) AS below, sum(count) OVER () AS total
    FROM binned
)
SELECT min(bin) AS bin
FROM ranked
WHERE below >= 0.95 * total AND total >= ?4
