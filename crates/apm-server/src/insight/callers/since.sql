-- The first minutes and hours of which callers were counted; null where none were.
SELECT (SELECT min(bucket) FROM roll_caller WHERE level = 60) AS minute,
       (SELECT min(bucket) FROM roll_caller WHERE level = 3600) AS hour
