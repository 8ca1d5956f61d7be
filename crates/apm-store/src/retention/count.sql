-- Adds the events numbered ?1 to ?2 to the counts, ?3 times: -1 takes them back.
INSERT INTO event_count (level, kind, bucket, service_id, outcome, n)
SELECT l.value, e.kind, e.minute - ((e.minute % l.value) + l.value) % l.value, e.service_id, e.outcome, ?3 * sum(e.n)
FROM (
    SELECT kind, minute, service_id, outcome, count(*) AS n
    FROM event_row
    WHERE seq BETWEEN ?1 AND ?2
    GROUP BY 1, 2, 3, 4
) e
CROSS JOIN json_each('[60, 600, 3600]') l
WHERE TRUE
GROUP BY 1, 2, 3, 4, 5
ON CONFLICT DO UPDATE SET n = n + excluded.n
