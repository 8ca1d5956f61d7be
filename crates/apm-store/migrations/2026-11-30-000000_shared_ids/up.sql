-- Ids that spans share are stored once for each block (docs/adr/0367-spans-of-a-block-share-their-ids.md). Nothing is rewritten: the rows
-- of before hold their own ids.
CREATE TABLE span_trace (
    id             INTEGER NOT NULL PRIMARY KEY, -- the first number of the block, and the place that rows name
    trace_id       BLOB    NOT NULL,
    transaction_id BLOB    NOT NULL
);

-- `event_row` follows the new name; `v_spans` reads the view below.
DROP VIEW v_spans;
ALTER TABLE span RENAME TO span_row;

-- A row whose trace_id is empty has its trace and its transaction in span_trace: its transaction_id is the place there. Its parent is that
-- transaction where parent_id is NULL. Every other row holds its ids itself. A column that is added to span_row has to be added here.
CREATE VIEW span AS
SELECT span_row.seq,
       span_row.group_id,
       span_row.resource_id,
       span_row.ts,
       span_row.duration,
       CASE span_row.trace_id WHEN x'' THEN (SELECT t.trace_id FROM span_trace t WHERE t.id = span_row.seq / 128 * 128 + span_row.transaction_id) ELSE span_row.trace_id END AS trace_id,
       span_row.id,
       CASE span_row.trace_id WHEN x'' THEN (SELECT t.transaction_id FROM span_trace t WHERE t.id = span_row.seq / 128 * 128 + span_row.transaction_id) ELSE span_row.transaction_id END AS transaction_id,
       CASE WHEN span_row.parent_id IS NULL AND span_row.trace_id = x'' THEN (SELECT t.transaction_id FROM span_trace t WHERE t.id = span_row.seq / 128 * 128 + span_row.transaction_id) ELSE span_row.parent_id END AS parent_id,
       span_row.outcome,
       span_row.destination_id,
       span_row.statement_id,
       span_row.status,
       span_row.composite_count,
       span_row.composite_sum,
       span_row.sample_rate,
       span_row.steps,
       span_row.scan_steps,
       span_row.sorts,
       span_row.autoindex_steps,
       span_row.rows_returned,
       span_row.weight
FROM span_row;

-- The same for whoever reads all ids of many rows in their order: a pair is looked up once for each row, and not again for the next one. Not
-- for the right side of a join, which SQLite would make a table of first.
CREATE VIEW span_whole AS
SELECT r.seq,
       r.group_id,
       r.resource_id,
       r.ts,
       r.duration,
       CASE r.trace_id WHEN x'' THEN t.trace_id ELSE r.trace_id END AS trace_id,
       r.id,
       CASE r.trace_id WHEN x'' THEN t.transaction_id ELSE r.transaction_id END AS transaction_id,
       CASE WHEN r.parent_id IS NULL AND r.trace_id = x'' THEN t.transaction_id ELSE r.parent_id END AS parent_id,
       r.outcome,
       r.destination_id,
       r.statement_id,
       r.status,
       r.composite_count,
       r.composite_sum,
       r.sample_rate,
       r.steps,
       r.scan_steps,
       r.sorts,
       r.autoindex_steps,
       r.rows_returned,
       r.weight
FROM span_row r
LEFT JOIN span_trace t ON r.trace_id = x'' AND t.id = r.seq / 128 * 128 + r.transaction_id;

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
