-- Values of series by chart bucket (seconds since 1970). ids: the series, as JSON.
WITH slice (level, start, stop) AS (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:series)
)
SELECT r.series_id AS series,
       r.bucket / :interval * :interval AS bucket,
       sum(r.count) AS count,
       sum(r.sum) AS sum,
       min(r.min) AS min,
       max(r.max) AS max
FROM slice
CROSS JOIN json_each(:ids) i
CROSS JOIN roll_metric r
    ON r.level = slice.level AND r.series_id = i.value AND r.bucket >= slice.start AND r.bucket < slice.stop
GROUP BY 1, 2
ORDER BY 1, 2
