-- Self time (µs) by kind of span and chart bucket (seconds since 1970), from the agents' breakdown metrics.
WITH slice (level, start, stop) AS (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:series)
)
SELECT r.span_type AS type,
       r.subtype,
       r.bucket / :interval * :interval AS bucket,
       sum(r.sum) AS sum
FROM slice
CROSS JOIN service s
CROSS JOIN tx_group g ON g.service_id = s.id
CROSS JOIN roll_breakdown r
    ON r.level = slice.level AND r.tx_group_id = g.id AND r.bucket >= slice.start AND r.bucket < slice.stop
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
  AND TRUE -- q: transactions
  AND (:type IS NULL OR g.type = :type)
  AND (:name IS NULL OR g.name = :name)
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
