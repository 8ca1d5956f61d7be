-- Single calls of the statement by time; at and value: microseconds; steps: NULL where they were not measured.
-- A span that stands for several counts with their mean.
-- Of each of :slots stretches of time, the first :each calls: of a statement that runs often, a sample.
WITH RECURSIVE slot (i, start, stop) AS (
    SELECT 0, :first, :first + (:last - :first) / :slots + 1
    UNION ALL
    SELECT i + 1, stop, stop + (:last - :first) / :slots + 1 FROM slot WHERE i + 1 < :slots
)
SELECT p.ts AS at, coalesce(p.composite_sum * 1.0 / p.composite_count, p.duration) AS value,
       p.steps * 1.0 / coalesce(p.composite_count, 1) AS steps
FROM slot
CROSS JOIN span p ON p.seq IN (
    SELECT s.seq
    FROM span s
    WHERE s.statement_id = :statement AND s.ts >= slot.start AND s.ts < slot.stop
    ORDER BY s.ts
    LIMIT +:each
)
WHERE p.outcome <> 0
ORDER BY p.ts
