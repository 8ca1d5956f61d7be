DROP INDEX roll_caller_statement;
