-- The cost of statements by the rows of spans: to be followed by a SELECT from `expected`. All counts of these
-- spans are made of their steps.
WITH call AS (
    SELECT statement_id,
           ts,
           steps,
           coalesce(composite_count, 1) AS n,
           CASE WHEN sample_rate IS NULL THEN 1.0 WHEN sample_rate = 0 THEN 0.0 ELSE 1.0 / sample_rate END AS weight
    FROM span
    WHERE steps IS NOT NULL AND statement_id IS NOT NULL
),
expected AS (
    SELECT l.value AS level,
           statement_id,
           ts / 1000000 - (ts / 1000000) % l.value AS bucket,
           sum(n * weight) AS measured,
           sum(steps * weight) AS steps,
           max(steps / n) AS steps_max,
           sum(steps / 2 * weight) AS scan_steps,
           sum(steps % 3 * weight) AS sorts,
           sum(steps / 4 * weight) AS autoindex_steps,
           sum(steps % 5 * weight) AS reprepares,
           sum(steps % 7 * weight) AS rows_returned,
           coalesce(sum(n * weight) FILTER (WHERE steps % 2 = 0), 0) AS changing,
           coalesce(sum(steps % 17 * weight) FILTER (WHERE steps % 2 = 0), 0) AS rows_changed,
           sum(steps % 11 * weight) AS pages_read,
           sum(steps % 13 * weight) AS pages_written
    FROM call
    CROSS JOIN json_each('[60, 600, 3600]') l
    WHERE weight > 0
    GROUP BY 1, 2, 3
)
