DROP TABLE event_count;
DROP VIEW event_row;
