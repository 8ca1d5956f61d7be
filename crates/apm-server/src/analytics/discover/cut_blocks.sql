-- The blocks that reach across a border of a chart bucket or of the range (µs).
SELECT b.id, b.ts_max
FROM block b
WHERE b.ts_max >= :from
  AND b.ts_max < :to + (SELECT ifnull(max(ts_max - ts_min), 0) FROM block)
  AND b.ts_min < :to
  AND (b.ts_max >= :to
       OR b.ts_min < :from
       OR b.ts_min / 1000000 / :interval <> b.ts_max / 1000000 / :interval)
