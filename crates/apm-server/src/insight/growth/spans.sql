-- Single calls of the statement by time; at and value: microseconds. A span that stands for several counts with their mean.
SELECT ts AS at, coalesce(composite_sum * 1.0 / composite_count, duration) AS value
FROM span
WHERE statement_id = :statement AND ts >= :from * 1000000 AND ts < :to * 1000000 AND outcome <> 0
ORDER BY ts
LIMIT :limit
