-- A process has the same name in all stores: the hash of its resource. See docs/adr/0456.
ALTER TABLE metric_state RENAME COLUMN resource_id TO process;
DELETE FROM metric_state WHERE process NOT IN (SELECT id FROM resource);
UPDATE OR REPLACE metric_state SET process = (SELECT hash FROM resource WHERE id = process);
