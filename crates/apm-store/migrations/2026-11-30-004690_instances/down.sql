DROP TABLE share_error_version;
DROP TABLE roll_instance_hist;
DROP TABLE roll_instance;
DROP TABLE instance;
