-- The newest changes of a group; newest: no later change is of a group that this one wrote.
SELECT c.id,
       c.at,
       c.change,
       c.before,
       NOT EXISTS (
           SELECT 1
           FROM error_change o
           JOIN json_each(o.before) later
           JOIN json_each(c.before) own ON own.value ->> 0 = later.value ->> 0
           WHERE o.service = c.service AND o.id > c.id
       ) AS newest
FROM error_change c
WHERE c.service = :service AND c.grouping_key = :key
ORDER BY c.id DESC
LIMIT 20
