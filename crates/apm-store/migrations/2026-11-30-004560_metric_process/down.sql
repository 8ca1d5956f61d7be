DELETE FROM metric_state WHERE process NOT IN (SELECT hash FROM resource);
UPDATE OR REPLACE metric_state SET process = (SELECT min(id) FROM resource WHERE hash = process);
ALTER TABLE metric_state RENAME COLUMN process TO resource_id;
