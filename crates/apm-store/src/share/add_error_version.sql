-- Adds occurrences of a group in a version: ?1 group, ?2 version, ?3 first and ?4 last time, ?5 how many.
INSERT INTO error_version (group_id, version, first_ts, last_ts, occurrences)
VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (group_id, version) DO UPDATE SET
    first_ts = min(first_ts, excluded.first_ts),
    last_ts = max(last_ts, excluded.last_ts),
    occurrences = occurrences + excluded.occurrences
