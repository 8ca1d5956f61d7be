-- A statement, and whether spans that its service's agent folded into one are all of it. The Rust agent folds equal
-- statements only; others fold spans of the same name, so that this is known only where one statement has the name.
SELECT q.verb,
       s.agent_name = 'rust' OR NOT EXISTS (
           SELECT 1
           FROM statement o
           WHERE o.service_id = q.service_id AND o.id <> q.id
             AND o.verb = q.verb AND o.table_name = q.table_name AND o.instance = q.instance
       ) AS folds_equal
FROM statement q
CROSS JOIN service s ON s.id = q.service_id
WHERE q.id = :id
