-- Tables and views of the main schema: whether they have no rowid, and the text that made them.
SELECT l.name, l.type, l.wr, s.sql
FROM pragma_table_list l
LEFT JOIN sqlite_schema s ON s.name = l.name AND s.type IN ('table', 'view')
WHERE l.schema = 'main' AND l.type IN ('table', 'view', 'virtual') AND l.name NOT LIKE 'sqlite\_%' ESCAPE '\'
ORDER BY l.name
LIMIT ?1
