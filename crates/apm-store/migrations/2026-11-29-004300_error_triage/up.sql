-- What people decided about groups of errors, and in which versions each group was seen.

-- A group without a row is open, assigned to nobody, and stands for itself. A group is a service and a key, whatever the
-- environment: the row outlives the group, so that what was resolved is known when it comes back.
-- status: 0 open, 1 resolved, 2 ignored. changed: microseconds since 1970. until: seconds since 1970. seen: occurrences
-- since the change. versions: JSON, those that the service ran at the change. merged_into: the key of the group that
-- stands for this one. reopened: microseconds since 1970; reopened_by: occurrence, version, count or time.
CREATE TABLE error_triage (
    service      TEXT    NOT NULL,
    grouping_key BIGINT  NOT NULL,
    status       INTEGER NOT NULL,
    changed      BIGINT  NOT NULL,
    until        BIGINT,
    until_count  BIGINT,
    new_version  INTEGER NOT NULL,
    seen         BIGINT  NOT NULL,
    versions     TEXT    NOT NULL,
    assignee     TEXT    NOT NULL,
    merged_into  BIGINT,
    reopened     BIGINT,
    reopened_by  TEXT    NOT NULL,
    reopened_in  TEXT    NOT NULL,
    PRIMARY KEY (service, grouping_key)
) WITHOUT ROWID;
CREATE INDEX error_triage_merged ON error_triage (service, merged_into) WHERE merged_into IS NOT NULL;

-- Changes that people made, and the rows before them (JSON: [[key, row or null], …]), so that each can be undone.
CREATE TABLE error_change (
    id           INTEGER NOT NULL PRIMARY KEY,
    at           BIGINT  NOT NULL,
    service      TEXT    NOT NULL,
    grouping_key BIGINT  NOT NULL,
    change       TEXT    NOT NULL,
    before       TEXT    NOT NULL
);
CREATE INDEX error_change_group ON error_change (service, grouping_key, id);

-- The versions of its service in which a group occurred. ts: microseconds since 1970.
CREATE TABLE error_version (
    group_id    INTEGER NOT NULL,
    version     TEXT    NOT NULL,
    first_ts    BIGINT  NOT NULL,
    last_ts     BIGINT  NOT NULL,
    occurrences BIGINT  NOT NULL,
    PRIMARY KEY (group_id, version)
) WITHOUT ROWID;
