DROP TABLE error_version;
DROP TABLE error_change;
DROP TABLE error_triage;
