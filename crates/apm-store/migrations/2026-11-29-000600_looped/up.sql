-- Calls that a loop made: repeated closely, without failures. Retries, polls and calls of other statements are not among them.
-- What was counted before did not tell them apart.
ALTER TABLE roll_caller ADD COLUMN looped DOUBLE NOT NULL DEFAULT 0;
UPDATE roll_caller SET looped = calls WHERE statement_id <> 0;
