-- The cluster_uuid of the engine that the output sends to; NULL: it did not tell. See docs/adr/0519.
ALTER TABLE output ADD COLUMN engine TEXT;
