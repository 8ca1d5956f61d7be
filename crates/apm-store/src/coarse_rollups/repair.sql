-- Makes the rows of one bucket (:bucket, of :level seconds) from those of its minutes.

DELETE FROM roll_tx WHERE level = :level AND group_id IN (SELECT id FROM tx_group) AND bucket = :bucket;
INSERT INTO roll_tx (level, group_id, bucket, result_id, outcome, count, n, sum, max)
SELECT :level, group_id, :bucket, result_id, outcome, sum(count), sum(n), sum(sum), max(max)
FROM roll_tx
WHERE level = 60 AND group_id IN (SELECT id FROM tx_group) AND bucket >= :bucket AND bucket < :bucket + :level
GROUP BY group_id, result_id, outcome;

DELETE FROM roll_tx_hist WHERE level = :level AND group_id IN (SELECT id FROM tx_group) AND bucket = :bucket;
INSERT INTO roll_tx_hist (level, group_id, bucket, outcome, bin, count)
SELECT :level, group_id, :bucket, outcome, bin, sum(count)
FROM roll_tx_hist
WHERE level = 60 AND group_id IN (SELECT id FROM tx_group) AND bucket >= :bucket AND bucket < :bucket + :level
GROUP BY group_id, outcome, bin;

DELETE FROM roll_statement WHERE level = :level AND statement_id IN (SELECT id FROM statement) AND bucket = :bucket;
INSERT INTO roll_statement (level, statement_id, bucket, outcome, count, n, sum, max)
SELECT :level, statement_id, :bucket, outcome, sum(count), sum(n), sum(sum), max(max)
FROM roll_statement
WHERE level = 60 AND statement_id IN (SELECT id FROM statement) AND bucket >= :bucket AND bucket < :bucket + :level
GROUP BY statement_id, outcome;

DELETE FROM roll_statement_hist
WHERE level = :level AND statement_id IN (SELECT id FROM statement) AND bucket = :bucket;
INSERT INTO roll_statement_hist (level, statement_id, bucket, outcome, bin, count)
SELECT :level, statement_id, :bucket, outcome, bin, sum(count)
FROM roll_statement_hist
WHERE level = 60 AND statement_id IN (SELECT id FROM statement) AND bucket >= :bucket AND bucket < :bucket + :level
GROUP BY statement_id, outcome, bin;

DELETE FROM roll_statement_cost
WHERE level = :level AND statement_id IN (SELECT id FROM statement) AND bucket = :bucket;
INSERT INTO roll_statement_cost (level, statement_id, bucket, measured, steps, steps_max, scan_steps, sorts,
       autoindex_steps, reprepares, rows_returned, changing, rows_changed, pages_read, pages_written)
SELECT :level, statement_id, :bucket, sum(measured), sum(steps), max(steps_max), sum(scan_steps), sum(sorts),
       sum(autoindex_steps), sum(reprepares), sum(rows_returned), sum(changing), sum(rows_changed), sum(pages_read),
       sum(pages_written)
FROM roll_statement_cost
WHERE level = 60 AND statement_id IN (SELECT id FROM statement) AND bucket >= :bucket AND bucket < :bucket + :level
GROUP BY statement_id;

DELETE FROM roll_statement_steps
WHERE level = :level AND statement_id IN (SELECT id FROM statement) AND bucket = :bucket;
INSERT INTO roll_statement_steps (level, statement_id, bucket, bin, count)
SELECT :level, statement_id, :bucket, bin, sum(count)
FROM roll_statement_steps
WHERE level = 60 AND statement_id IN (SELECT id FROM statement) AND bucket >= :bucket AND bucket < :bucket + :level
GROUP BY statement_id, bin;

DELETE FROM roll_destination
WHERE level = :level AND destination_id IN (SELECT id FROM destination) AND bucket = :bucket;
INSERT INTO roll_destination (level, destination_id, bucket, outcome, count, n, sum, max)
SELECT :level, destination_id, :bucket, outcome, sum(count), sum(n), sum(sum), max(max)
FROM roll_destination
WHERE level = 60 AND destination_id IN (SELECT id FROM destination) AND bucket >= :bucket AND bucket < :bucket + :level
GROUP BY destination_id, outcome;

DELETE FROM roll_destination_hist
WHERE level = :level AND destination_id IN (SELECT id FROM destination) AND bucket = :bucket;
INSERT INTO roll_destination_hist (level, destination_id, bucket, outcome, bin, count)
SELECT :level, destination_id, :bucket, outcome, bin, sum(count)
FROM roll_destination_hist
WHERE level = 60 AND destination_id IN (SELECT id FROM destination) AND bucket >= :bucket AND bucket < :bucket + :level
GROUP BY destination_id, outcome, bin;

DELETE FROM roll_call
WHERE level = :level AND destination_id IN (SELECT id FROM destination) AND bucket = :bucket;
INSERT INTO roll_call (level, destination_id, bucket, callee_id, outcome, count, n, sum, max)
SELECT :level, destination_id, :bucket, callee_id, outcome, sum(count), sum(n), sum(sum), max(max)
FROM roll_call
WHERE level = 60 AND destination_id IN (SELECT id FROM destination) AND bucket >= :bucket AND bucket < :bucket + :level
GROUP BY destination_id, callee_id, outcome;

DELETE FROM roll_vital WHERE level = :level AND group_id IN (SELECT id FROM tx_group) AND bucket = :bucket;
INSERT INTO roll_vital (level, group_id, bucket, vital, rating, bin, count)
SELECT :level, group_id, :bucket, vital, rating, bin, sum(count)
FROM roll_vital
WHERE level = 60 AND group_id IN (SELECT id FROM tx_group) AND bucket >= :bucket AND bucket < :bucket + :level
GROUP BY group_id, vital, rating, bin;

DELETE FROM roll_instance
WHERE level = :level AND instance_id IN (SELECT id FROM instance) AND bucket = :bucket;
INSERT INTO roll_instance (level, instance_id, bucket, count, failed, succeeded, sum, cpu_n, cpu_sum, machine_n,
    machine_sum, memory_n, memory_sum, used_n, used_sum, used_min, used_max, longest)
SELECT :level, instance_id, :bucket, sum(count), sum(failed), sum(succeeded), sum(sum), sum(cpu_n), sum(cpu_sum),
    sum(machine_n), sum(machine_sum), sum(memory_n), sum(memory_sum), sum(used_n), sum(used_sum), min(used_min),
    max(used_max), CASE WHEN total(count > 0 AND longest IS NULL) = 0 THEN max(longest) END
FROM roll_instance
WHERE level = 60 AND instance_id IN (SELECT id FROM instance) AND bucket >= :bucket AND bucket < :bucket + :level
GROUP BY instance_id;

DELETE FROM roll_instance_hist
WHERE level = :level AND instance_id IN (SELECT id FROM instance) AND bucket = :bucket;
INSERT INTO roll_instance_hist (level, instance_id, bucket, bin, count)
SELECT :level, instance_id, :bucket, bin, sum(count)
FROM roll_instance_hist
WHERE level = 60 AND instance_id IN (SELECT id FROM instance) AND bucket >= :bucket AND bucket < :bucket + :level
GROUP BY instance_id, bin;

DELETE FROM roll_metric
WHERE level = :level AND series_id IN (SELECT id FROM metric_series) AND bucket = :bucket;
INSERT INTO roll_metric (level, series_id, bucket, n, count, sum, min, max)
SELECT :level, series_id, :bucket, sum(n), sum(count), sum(sum), min(min), max(max)
FROM roll_metric
WHERE level = 60 AND series_id IN (SELECT id FROM metric_series) AND bucket >= :bucket AND bucket < :bucket + :level
GROUP BY series_id;

DELETE FROM roll_metric_hist
WHERE level = :level AND series_id IN (SELECT id FROM metric_series) AND bucket = :bucket;
INSERT INTO roll_metric_hist (level, series_id, bucket, bin, count)
SELECT :level, series_id, :bucket, bin, sum(count)
FROM roll_metric_hist
WHERE level = 60 AND series_id IN (SELECT id FROM metric_series) AND bucket >= :bucket AND bucket < :bucket + :level
GROUP BY series_id, bin;

DELETE FROM roll_error WHERE level = :level AND group_id IN (SELECT id FROM error_group) AND bucket = :bucket;
INSERT INTO roll_error (level, group_id, bucket, n)
SELECT :level, group_id, :bucket, sum(n)
FROM roll_error
WHERE level = 60 AND group_id IN (SELECT id FROM error_group) AND bucket >= :bucket AND bucket < :bucket + :level
GROUP BY group_id;

DELETE FROM roll_breakdown WHERE level = :level AND tx_group_id IN (SELECT id FROM tx_group) AND bucket = :bucket;
INSERT INTO roll_breakdown (level, tx_group_id, bucket, span_type, subtype, count, sum)
SELECT :level, tx_group_id, :bucket, span_type, subtype, sum(count), sum(sum)
FROM roll_breakdown
WHERE level = 60 AND tx_group_id IN (SELECT id FROM tx_group) AND bucket >= :bucket AND bucket < :bucket + :level
GROUP BY tx_group_id, span_type, subtype;

INSERT OR REPLACE INTO roll_received (level, bucket, received)
SELECT :level, :bucket, max(received)
FROM roll_received
WHERE level = 60 AND bucket >= :bucket AND bucket < :bucket + :level
HAVING count(*) > 0;
