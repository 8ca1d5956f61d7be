DROP TABLE sent_time;
