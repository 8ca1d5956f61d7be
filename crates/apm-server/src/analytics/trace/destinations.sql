-- Names of the destinations of :ids.
SELECT d.id, coalesce(nullif(d.resource, ''), nullif(trim(d.target_type || '/' || d.target_name, '/'), ''), '') AS text
FROM json_each(:ids) j
JOIN destination d ON d.id = j.value
