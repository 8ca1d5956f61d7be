-- The number up to which errors were read.
SELECT (SELECT value FROM insight_state WHERE name = 'errors') AS n
