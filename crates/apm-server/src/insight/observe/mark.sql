-- The number up to which events were read.
SELECT coalesce((SELECT value FROM insight_state WHERE name = 'observed'), -1) AS n
