-- Plans that agents sent: a row for each stretch of time in which a statement had one plan in one version of its service.
-- plan: a step a line, two spaces for each level. Times in seconds since 1970.
CREATE TABLE statement_plan (
    id             INTEGER NOT NULL PRIMARY KEY,
    service        TEXT    NOT NULL,
    environment    TEXT    NOT NULL,
    instance       TEXT    NOT NULL,
    fingerprint    BIGINT  NOT NULL,
    version        TEXT    NOT NULL, -- service.version, may be empty
    plan           TEXT    NOT NULL,
    schema_version BIGINT  NOT NULL,
    first_seen     BIGINT  NOT NULL,
    last_seen      BIGINT  NOT NULL
);
CREATE INDEX statement_plan_of ON statement_plan (fingerprint, service, environment, instance, id);
