DROP TABLE roll_call;
