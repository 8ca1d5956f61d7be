-- The cost of every statement in SQLite in neighbouring buckets of one level (seconds since 1970), ids in order: sums
-- over the calls that were measured. A statement none of whose calls were measured has no row.
SELECT g.id,
       r.bucket,
       r.measured,
       r.steps,
       r.steps_max,
       r.scan_steps,
       r.sorts,
       r.autoindex_steps,
       r.reprepares,
       r.rows_returned,
       r.changing,
       r.rows_changed,
       r.pages_read,
       r.pages_written
FROM statement g
CROSS JOIN roll_statement_cost r ON r.level = :level AND r.statement_id = g.id AND r.bucket >= :from AND r.bucket < :to
ORDER BY g.id
