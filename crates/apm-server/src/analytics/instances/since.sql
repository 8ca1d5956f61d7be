-- The first hour of which instances are counted, by a probe for each of them.
SELECT min((SELECT min(bucket) FROM roll_instance WHERE level = 3600 AND instance_id = i.id)) AS since FROM instance i
