-- A marker by its name, the newest of several, or by its number.
SELECT id, ts, service, environment, kind, name
FROM marker
WHERE name = :name OR id = :id
ORDER BY name = :name DESC, ts DESC, id DESC
LIMIT 1
