DROP TABLE roll_caller_written;
