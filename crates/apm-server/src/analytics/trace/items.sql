-- Transactions and spans of one trace. trace_at says in which blocks they are: a probe for each segment of 2^17 events.
-- The `+` keeps SQLite from reading the whole table into an automatic index on trace_id.
WITH RECURSIVE segment (number) AS (
    SELECT min(key) >> 40 FROM trace_at
    UNION ALL
    SELECT number + 1 FROM segment WHERE number < (SELECT max(key) >> 40 FROM trace_at)
),
place (first) AS MATERIALIZED (
    SELECT a.block * 128 FROM segment CROSS JOIN trace_at a ON a.key = (segment.number << 40) | :bits
)
SELECT t.seq,
       1 AS is_transaction,
       t.id,
       t.parent_id,
       NULL AS transaction_id,
       s.name AS service,
       s.environment,
       s.agent_name AS agent,
       g.name,
       g.type,
       '' AS subtype,
       '' AS action,
       t.ts,
       t.duration,
       t.outcome,
       coalesce(v.value, '') AS result,
       t.status,
       t.sampled,
       t.spans_started,
       t.spans_dropped,
       '' AS destination,
       NULL AS fingerprint,
       '' AS statement,
       NULL AS composite_count,
       NULL AS composite_sum
FROM place
CROSS JOIN tx t ON t.seq >= place.first AND t.seq < place.first + 128
JOIN tx_group g ON g.id = t.group_id
JOIN service s ON s.id = g.service_id
LEFT JOIN result v ON v.id = t.result_id
WHERE +t.trace_id = :trace
UNION ALL
SELECT p.seq,
       0,
       p.id,
       p.parent_id,
       p.transaction_id,
       s.name,
       s.environment,
       s.agent_name,
       g.name,
       g.type,
       g.subtype,
       g.action,
       p.ts,
       p.duration,
       p.outcome,
       '',
       p.status,
       1,
       NULL,
       NULL,
       coalesce(nullif(d.resource, ''), nullif(trim(d.target_type || '/' || d.target_name, '/'), ''), ''),
       q.fingerprint,
       coalesce(q.normalized, ''),
       p.composite_count,
       p.composite_sum
FROM place
CROSS JOIN span p ON p.seq >= place.first AND p.seq < place.first + 128
JOIN span_group g ON g.id = p.group_id
JOIN service s ON s.id = g.service_id
LEFT JOIN destination d ON d.id = p.destination_id
LEFT JOIN statement q ON q.id = p.statement_id
WHERE +p.trace_id = :trace
ORDER BY 13, 2 DESC, 1
