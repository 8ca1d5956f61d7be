-- When the callers of a bucket were last written, microseconds since 1970: another after each write, so that what was read of a bucket
-- can be kept for as long as it is the same.
CREATE TABLE roll_caller_written (
    level   INTEGER NOT NULL,
    bucket  BIGINT  NOT NULL,
    written BIGINT  NOT NULL,
    PRIMARY KEY (level, bucket)
) WITHOUT ROWID;

INSERT INTO roll_caller_written (level, bucket, written)
SELECT level, bucket, 0 FROM roll_caller GROUP BY level, bucket;
