DROP TABLE roll_vital;
