DROP VIEW v_transactions;
CREATE VIEW v_transactions AS
SELECT t.seq,
       s.name AS service,
       s.environment,
       g.type,
       g.name,
       strftime('%Y-%m-%dT%H:%M:%f', t.ts / 1e6, 'unixepoch') || 'Z' AS time,
       t.duration / 1000.0 AS duration_ms,
       CASE t.outcome WHEN 0 THEN 'failure' WHEN 1 THEN 'success' ELSE 'unknown' END AS outcome,
       r.value AS result,
       t.status,
       CASE typeof(t.trace_id) WHEN 'integer' THEN printf('%016x', t.trace_id) WHEN 'blob' THEN lower(hex(t.trace_id)) ELSE t.trace_id END AS trace_id,
       CASE typeof(t.id) WHEN 'integer' THEN printf('%016x', t.id) WHEN 'blob' THEN lower(hex(t.id)) ELSE t.id END AS id,
       CASE typeof(t.parent_id) WHEN 'integer' THEN printf('%016x', t.parent_id) WHEN 'blob' THEN lower(hex(t.parent_id)) ELSE t.parent_id END AS parent_id,
       t.sampled,
       t.sample_rate,
       t.spans_started,
       t.spans_dropped
FROM tx t
JOIN tx_group g ON g.id = t.group_id
JOIN service s ON s.id = g.service_id
LEFT JOIN result r ON r.id = t.result_id;

DROP VIEW v_spans;
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
       p.rows_returned
FROM span p
JOIN span_group g ON g.id = p.group_id
JOIN service s ON s.id = g.service_id
LEFT JOIN destination d ON d.id = p.destination_id
LEFT JOIN statement q ON q.id = p.statement_id;

ALTER TABLE kept_state DROP COLUMN sampled;
ALTER TABLE span DROP COLUMN weight;
ALTER TABLE tx DROP COLUMN weight;
