-- The names that the events numbered ?2 to ?3 of block ?1 refer to.
INSERT OR IGNORE INTO kept_name (block, dictionary, id)
SELECT ?1, n.dictionary, n.id
FROM (
    SELECT 1 AS dictionary, resource_id AS id FROM tx WHERE seq BETWEEN ?2 AND ?3
    UNION SELECT 1, resource_id FROM span WHERE seq BETWEEN ?2 AND ?3
    UNION SELECT 1, resource_id FROM error WHERE seq BETWEEN ?2 AND ?3
    UNION SELECT 1, resource_id FROM log WHERE seq BETWEEN ?2 AND ?3
    UNION SELECT 2, result_id FROM tx WHERE seq BETWEEN ?2 AND ?3
    UNION SELECT 3, group_id FROM span WHERE seq BETWEEN ?2 AND ?3
    UNION SELECT 4, destination_id FROM span WHERE seq BETWEEN ?2 AND ?3
    UNION SELECT 5, group_id FROM tx WHERE seq BETWEEN ?2 AND ?3
    UNION SELECT 5, tx_group_id FROM error WHERE seq BETWEEN ?2 AND ?3
    UNION SELECT 6, statement_id FROM span WHERE seq BETWEEN ?2 AND ?3
    UNION SELECT 7, group_id FROM error WHERE seq BETWEEN ?2 AND ?3
) n
WHERE n.id IS NOT NULL
