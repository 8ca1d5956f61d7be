-- Names of the span groups of :ids.
SELECT g.id, s.name AS service, s.environment, s.agent_name AS agent, g.name, g.type, g.subtype, g.action
FROM json_each(:ids) j
JOIN span_group g ON g.id = j.value
JOIN service s ON s.id = g.service_id
