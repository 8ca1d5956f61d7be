DROP TABLE source_map;
