-- Names of some transaction groups, by their ids (a JSON array).
SELECT g.id, s.name AS service, g.type, g.name
FROM json_each(:ids) i
CROSS JOIN tx_group g ON g.id = i.value
CROSS JOIN service s ON s.id = g.service_id
