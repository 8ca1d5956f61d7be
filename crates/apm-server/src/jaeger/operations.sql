-- The operations of a service: the names of its transactions and of its calls.
SELECT name, kind
FROM (
    SELECT g.name, CASE g.type WHEN 'messaging' THEN 'consumer' WHEN 'request' THEN 'server' ELSE 'internal' END AS kind
    FROM tx_group g
    JOIN service s ON s.id = g.service_id
    WHERE s.name = :service
    UNION
    SELECT g.name, CASE WHEN g.type IN ('db', 'external', 'storage', 'cache') THEN 'client'
        WHEN g.type = 'messaging' THEN 'producer' ELSE 'internal' END
    FROM span_group g
    JOIN service s ON s.id = g.service_id
    WHERE s.name = :service
)
WHERE name <> ''
ORDER BY name, kind
LIMIT +:most
