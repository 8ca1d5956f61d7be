-- Transaction groups (type and name) with what happened in the window; durations in µs.
WITH slice (level, start, stop) AS (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:slices)
)
SELECT g.type,
       g.name,
       sum(r.count) AS count,
       sum(r.n) AS n,
       sum(r.sum) AS sum,
       max(r.max) AS max,
       coalesce(sum(r.count) FILTER (WHERE r.outcome = 0), 0.0) AS failures,
       coalesce(sum(r.count) FILTER (WHERE r.outcome = 1), 0.0) AS successes
FROM slice
CROSS JOIN service s
CROSS JOIN tx_group g ON g.service_id = s.id
CROSS JOIN roll_tx r
    ON r.level = slice.level AND r.group_id = g.id AND r.bucket >= slice.start AND r.bucket < slice.stop
WHERE (:service IS NULL OR s.name = :service)
  AND (:environment IS NULL OR s.environment = :environment)
  AND TRUE -- q: transactions
  AND (:type IS NULL OR g.type = :type)
  AND (:name IS NULL OR g.name = :name)
GROUP BY g.type, g.name
ORDER BY sum DESC, g.name
