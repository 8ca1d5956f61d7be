-- Instances of services and their counts, which servers before one engine share. See docs/adr/0469.

-- The processes, containers or machines that run a service, told apart by how they describe themselves.
CREATE TABLE instance (
    id         INTEGER NOT NULL PRIMARY KEY,
    service_id INTEGER NOT NULL,
    node       TEXT    NOT NULL,
    host       TEXT    NOT NULL,
    pod        TEXT    NOT NULL,
    version    TEXT    NOT NULL,
    runtime    TEXT    NOT NULL,
    last_seen  INTEGER NOT NULL,
    UNIQUE (service_id, node, version, host, pod, runtime)
);

-- count, failed, succeeded: transactions, weighted. sum: of their durations, µs, weighted.
-- …_n, …_sum: samples of a gauge, and the sum of their values: the share of all processors that the process and that the machine uses, bytes of
-- the process, and the share of memory in use.
CREATE TABLE roll_instance (
    level       INTEGER NOT NULL,
    instance_id INTEGER NOT NULL,
    bucket      BIGINT  NOT NULL,
    count       DOUBLE  NOT NULL,
    failed      DOUBLE  NOT NULL,
    succeeded   DOUBLE  NOT NULL,
    sum         DOUBLE  NOT NULL,
    cpu_n       DOUBLE  NOT NULL,
    cpu_sum     DOUBLE  NOT NULL,
    machine_n   DOUBLE  NOT NULL,
    machine_sum DOUBLE  NOT NULL,
    memory_n    DOUBLE  NOT NULL,
    memory_sum  DOUBLE  NOT NULL,
    used_n      DOUBLE  NOT NULL,
    used_sum    DOUBLE  NOT NULL,
    used_min    DOUBLE,
    used_max    DOUBLE,
    PRIMARY KEY (level, instance_id, bucket)
) WITHOUT ROWID;

-- bin: as in roll_tx_hist.
CREATE TABLE roll_instance_hist (
    level       INTEGER NOT NULL,
    instance_id INTEGER NOT NULL,
    bucket      BIGINT  NOT NULL,
    bin         INTEGER NOT NULL,
    count       DOUBLE  NOT NULL,
    PRIMARY KEY (level, instance_id, bucket, bin)
) WITHOUT ROWID;

-- What was added to error_version, for the other servers.
CREATE TABLE share_error_version (
    id          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    group_id    INTEGER NOT NULL,
    version     TEXT    NOT NULL,
    first_ts    BIGINT  NOT NULL,
    last_ts     BIGINT  NOT NULL,
    occurrences BIGINT  NOT NULL
);
