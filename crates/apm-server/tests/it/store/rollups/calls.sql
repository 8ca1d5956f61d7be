-- Calls by destination, service that answered, bucket and outcome, counted from the rows of events.
WITH reached AS (
    SELECT DISTINCT p.seq, g.service_id AS callee_id
    FROM span p
    JOIN tx t ON t.trace_id = p.trace_id AND t.parent_id = p.id
    JOIN tx_group g ON g.id = t.group_id
), expected AS (
    SELECT l.value AS level,
           p.destination_id,
           (p.ts / 1000000) - (p.ts / 1000000) % l.value AS bucket,
           c.callee_id,
           p.outcome,
           sum(1 / p.sample_rate) AS count,
           count(*) AS n,
           sum(p.duration / p.sample_rate) AS sum,
           max(p.duration) AS max
    FROM span p
    JOIN reached c ON c.seq = p.seq
    CROSS JOIN json_each('[60, 600, 3600]') l
    GROUP BY 1, 2, 3, 4, 5
)
