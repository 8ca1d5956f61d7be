-- Spans that name a parent and no transaction, by arrival; times in microseconds. The last columns are those of
-- `spans.sql`. A span without a transaction shares no ids, so its row holds them itself.
SELECT p.id,
       p.parent_id,
       p.trace_id,
       (SELECT g.service_id FROM span_group g WHERE g.id = p.group_id) AS service_id,
       p.statement_id,
       p.ts,
       coalesce(p.composite_count, 1) AS calls,
       coalesce(p.composite_sum, p.duration) AS total,
       p.outcome = 0 AS failed,
       p.composite_count IS NULL
           OR (SELECT g.name NOT LIKE 'Calls to %' FROM span_group g WHERE g.id = p.group_id) IS NOT 0 AS of_one_kind,
       p.steps,
       p.scan_steps
FROM span_row p
WHERE p.seq > :from AND p.seq <= :to AND p.transaction_id IS NULL AND p.parent_id IS NOT NULL
