-- Events by chart bucket (seconds since 1970), of the blocks that lie in one bucket and in the range (µs).
SELECT b.ts_min / 1000000 / :interval * :interval AS bucket, sum(b.events) AS count
FROM block b
WHERE b.ts_max >= :from
  AND b.ts_max < :to
  AND b.ts_min >= :from
  AND b.ts_min / 1000000 / :interval = b.ts_max / 1000000 / :interval
GROUP BY 1
