-- Calls whose callee is known: a transaction of the service callee_id names the span of the call as its parent.
-- They are counted in roll_destination as well. callee_id: a service, so that a destination may lead to several.
CREATE TABLE roll_call (
    level          INTEGER NOT NULL,
    destination_id INTEGER NOT NULL,
    bucket         BIGINT  NOT NULL,
    callee_id      INTEGER NOT NULL,
    outcome        INTEGER NOT NULL,
    count          DOUBLE  NOT NULL,
    n              BIGINT  NOT NULL,
    sum            DOUBLE  NOT NULL,
    max            BIGINT  NOT NULL,
    PRIMARY KEY (level, destination_id, bucket, callee_id, outcome)
) WITHOUT ROWID;
