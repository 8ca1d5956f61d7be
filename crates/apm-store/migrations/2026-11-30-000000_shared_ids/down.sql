DROP VIEW v_spans;
DROP VIEW span;
DROP VIEW span_whole;
UPDATE span_row
SET trace_id       = (SELECT t.trace_id FROM span_trace t WHERE t.id = seq / 128 * 128 + span_row.transaction_id),
    transaction_id = (SELECT t.transaction_id FROM span_trace t WHERE t.id = seq / 128 * 128 + span_row.transaction_id),
    parent_id      = coalesce(parent_id, (SELECT t.transaction_id FROM span_trace t WHERE t.id = seq / 128 * 128 + span_row.transaction_id))
WHERE trace_id = x'';
DROP TABLE span_trace;
ALTER TABLE span_row RENAME TO span;

CREATE VIEW v_spans AS
SELECT p.seq,
       s.name AS service,
       s.environment,
       g.name,
       g.type,
       g.subtype,
       g.action,
       strftime('%Y-%m-%dT%H:%M:%f', p.ts / 1e6, 'unixepoch') || 'Z' AS time,
       p.duration / 1000.0 AS duration_ms,
       CASE p.outcome WHEN 0 THEN 'failure' WHEN 1 THEN 'success' ELSE 'unknown' END AS outcome,
       d.resource AS destination,
       q.normalized AS statement,
       p.status,
       CASE typeof(p.trace_id) WHEN 'integer' THEN printf('%016x', p.trace_id) WHEN 'blob' THEN lower(hex(p.trace_id)) ELSE p.trace_id END AS trace_id,
       CASE typeof(p.id) WHEN 'integer' THEN printf('%016x', p.id) WHEN 'blob' THEN lower(hex(p.id)) ELSE p.id END AS id,
       CASE typeof(p.parent_id) WHEN 'integer' THEN printf('%016x', p.parent_id) WHEN 'blob' THEN lower(hex(p.parent_id)) ELSE p.parent_id END AS parent_id,
       CASE typeof(p.transaction_id) WHEN 'integer' THEN printf('%016x', p.transaction_id) WHEN 'blob' THEN lower(hex(p.transaction_id)) ELSE p.transaction_id END AS transaction_id,
       p.composite_count,
       p.composite_sum / 1000.0 AS composite_sum_ms,
       p.sample_rate,
       p.steps,
       p.scan_steps,
       p.sorts,
       p.autoindex_steps,
       p.rows_returned,
       coalesce(p.weight, 1.0) * CASE WHEN p.sample_rate IS NULL THEN 1.0 WHEN p.sample_rate > 0 THEN 1.0 / p.sample_rate ELSE 0.0 END AS weight
FROM span p
JOIN span_group g ON g.id = p.group_id
JOIN service s ON s.id = g.service_id
LEFT JOIN destination d ON d.id = p.destination_id
LEFT JOIN statement q ON q.id = p.statement_id;
