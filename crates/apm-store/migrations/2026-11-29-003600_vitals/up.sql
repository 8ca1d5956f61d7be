-- Web vitals of pages, as browsers measured them, by the transaction group of the page load. See docs/browsers.md.
-- vital:  1 LCP, 2 INP, 3 CLS, 4 FCP, 5 TTFB, 6 FID, 7 TBT.
-- rating: 0 good, 1 needs improvement, 2 poor.
-- bin:    as in the histograms of durations, of microseconds; for CLS of millionths.
CREATE TABLE roll_vital (
    level    INTEGER NOT NULL,
    group_id INTEGER NOT NULL,
    bucket   BIGINT  NOT NULL,
    vital    INTEGER NOT NULL,
    rating   INTEGER NOT NULL,
    bin      INTEGER NOT NULL,
    count    DOUBLE  NOT NULL,
    PRIMARY KEY (level, group_id, bucket, vital, rating, bin)
) WITHOUT ROWID;
