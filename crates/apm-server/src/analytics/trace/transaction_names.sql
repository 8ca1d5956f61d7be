-- Names of the transaction groups of :ids.
SELECT g.id, s.name AS service, s.environment, s.agent_name AS agent, g.name, g.type, '' AS subtype, '' AS action
FROM json_each(:ids) j
JOIN tx_group g ON g.id = j.value
JOIN service s ON s.id = g.service_id
