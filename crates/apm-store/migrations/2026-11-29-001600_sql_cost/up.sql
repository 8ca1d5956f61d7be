-- What SQLite did for a span, where the agent measured it: NULL is not measured, which 0 is not. See docs/sql-cost.md.
ALTER TABLE span ADD COLUMN steps BIGINT;
ALTER TABLE span ADD COLUMN scan_steps BIGINT;
ALTER TABLE span ADD COLUMN sorts BIGINT;
ALTER TABLE span ADD COLUMN autoindex_steps BIGINT;
ALTER TABLE span ADD COLUMN rows_returned BIGINT;

-- The same by statement and bucket: weighted sums over the calls that were measured. Tables of their own, so that what
-- was not measured writes nothing. changing: calls of which it is known how many rows they changed.
CREATE TABLE roll_statement_cost (
    level           INTEGER NOT NULL,
    statement_id    INTEGER NOT NULL,
    bucket          BIGINT  NOT NULL,
    measured        DOUBLE  NOT NULL,
    steps           DOUBLE  NOT NULL,
    steps_max       BIGINT  NOT NULL,
    scan_steps      DOUBLE  NOT NULL,
    sorts           DOUBLE  NOT NULL,
    autoindex_steps DOUBLE  NOT NULL,
    reprepares      DOUBLE  NOT NULL,
    rows_returned   DOUBLE  NOT NULL,
    changing        DOUBLE  NOT NULL,
    rows_changed    DOUBLE  NOT NULL,
    pages_read      DOUBLE  NOT NULL,
    pages_written   DOUBLE  NOT NULL,
    PRIMARY KEY (level, statement_id, bucket)
) WITHOUT ROWID;

-- Steps of a call, in the bins of the histograms of durations: a bin stands for 2 * 1.02^bin / 2.02 steps.
CREATE TABLE roll_statement_steps (
    level        INTEGER NOT NULL,
    statement_id INTEGER NOT NULL,
    bucket       BIGINT  NOT NULL,
    bin          INTEGER NOT NULL,
    count        DOUBLE  NOT NULL,
    PRIMARY KEY (level, statement_id, bucket, bin)
) WITHOUT ROWID;

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
