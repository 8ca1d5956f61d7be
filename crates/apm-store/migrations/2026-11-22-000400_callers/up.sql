-- The callers of one statement, and all statements of each caller, without reading what others run.
CREATE INDEX roll_caller_statement ON roll_caller (level, statement_id, bucket);
