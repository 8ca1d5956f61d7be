DROP TABLE service_version;
DROP TABLE marker;
DROP TABLE finding;
DROP TABLE insight_state;
DROP TABLE roll_caller;
