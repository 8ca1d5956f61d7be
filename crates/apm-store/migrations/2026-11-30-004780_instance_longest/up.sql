-- The longest transaction of an instance, µs; NULL: it is not known, or there is none. A percentile never exceeds it. See docs/adr/0502.
ALTER TABLE roll_instance ADD COLUMN longest BIGINT;
