-- Some senders, as they describe themselves.
SELECT r.id, s.environment, r.document
FROM json_each(:ids) wanted
CROSS JOIN resource r ON r.id = wanted.value
CROSS JOIN service s ON s.id = r.service_id
