-- Senders that came since the last look, with what was known of their service.
SELECT r.id,
       s.name AS service,
       s.environment,
       coalesce(r.document ->> '$.metadata.service.version', '') AS version,
       v.version AS known_version,
       coalesce('process ' || (r.document ->> '$.metadata.process.pid'), s.name)
           || coalesce(' on ' || coalesce(r.document ->> '$.metadata.system.configured_hostname',
                                          r.document ->> '$.metadata.system.detected_hostname',
                                          r.document ->> '$.metadata.system.hostname'), '') AS process,
       coalesce((SELECT max(m.ts) / 1000000
                 FROM marker m
                 WHERE m.kind = 'start' AND m.service = s.name
                   AND (m.environment IS NULL OR m.environment = s.environment)), -1000000) AS last_start
FROM resource r
JOIN service s ON s.id = r.service_id
LEFT JOIN service_version v ON v.service = s.name AND v.environment = s.environment
WHERE r.id > coalesce((SELECT value FROM insight_state WHERE name = 'resource'), 0) AND json_valid(r.document)
ORDER BY r.id
LIMIT 200
