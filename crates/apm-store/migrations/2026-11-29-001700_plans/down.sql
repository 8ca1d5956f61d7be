DROP TABLE statement_plan;
