-- Checksums of the rows of a block's events, four bytes each (little-endian) in their order; see docs/adr/0023. NULL in blocks of before.
ALTER TABLE block ADD COLUMN sums BLOB;
