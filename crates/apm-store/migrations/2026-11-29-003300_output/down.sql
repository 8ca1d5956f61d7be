DROP TABLE output_refusal;
DROP TABLE output_refused;
DROP TABLE output_aggregate;
DROP TABLE output;
