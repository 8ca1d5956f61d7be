-- Texts of some statements, by their ids (a JSON array).
SELECT q.id,
       s.name AS service,
       s.environment,
       q.instance,
       q.subtype,
       q.fingerprint,
       q.normalized,
       q.sample,
       q.verb,
       q.table_name,
       q.first_seen,
       q.last_seen
FROM json_each(:ids) chosen
CROSS JOIN statement q ON q.id = chosen.value
CROSS JOIN service s ON s.id = q.service_id
