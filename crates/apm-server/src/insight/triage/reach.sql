-- The number of the last error of a look; nothing where there is no new one.
SELECT max(seq) AS n
FROM (SELECT seq FROM error WHERE seq > :from ORDER BY seq LIMIT +:most)
