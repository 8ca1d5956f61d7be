-- The columns of the views for people, in their order.
SELECT v.name AS view, c.name AS name
FROM sqlite_schema v
JOIN pragma_table_info(v.name) c
WHERE v.type = 'view' AND v.name LIKE 'v\_%' ESCAPE '\'
ORDER BY v.name, c.cid
