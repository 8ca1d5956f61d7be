-- Alerts: rules that people made, where alerts are sent, and what was sent. Times in seconds since 1970.

-- A rule of the page. One with the id of a rule that comes with the program stands in its place.
CREATE TABLE alert_rule (
    id       TEXT   NOT NULL PRIMARY KEY,
    document TEXT   NOT NULL, -- JSON
    changed  BIGINT NOT NULL
) WITHOUT ROWID;

-- A receiver of the page. The document holds addresses that are secrets: the SQL console does not read this table.
CREATE TABLE alert_receiver (
    name     TEXT   NOT NULL PRIMARY KEY,
    document TEXT   NOT NULL, -- JSON
    changed  BIGINT NOT NULL
) WITHOUT ROWID;

-- Until when nothing is sent for a rule.
CREATE TABLE alert_silence (
    rule  TEXT   NOT NULL PRIMARY KEY,
    until BIGINT NOT NULL
) WITHOUT ROWID;

-- When a rule was first evaluated: what was found before is not new to it.
CREATE TABLE alert_watch (
    rule  TEXT   NOT NULL PRIMARY KEY,
    since BIGINT NOT NULL
) WITHOUT ROWID;

-- Subjects for which the condition of a rule holds. phase: 0 pending, 1 firing. calm: since when it no longer holds.
CREATE TABLE alert_state (
    rule     TEXT    NOT NULL,
    subject  TEXT    NOT NULL,
    phase    INTEGER NOT NULL,
    since    BIGINT  NOT NULL,
    calm     BIGINT,
    document TEXT    NOT NULL, -- JSON: the last reading
    PRIMARY KEY (rule, subject)
) WITHOUT ROWID;

-- change: fired, resolved or test. silenced: nothing was sent.
CREATE TABLE alert_history (
    id       INTEGER NOT NULL PRIMARY KEY,
    at       BIGINT  NOT NULL,
    rule     TEXT    NOT NULL,
    change   TEXT    NOT NULL,
    silenced INTEGER NOT NULL,
    document TEXT    NOT NULL -- JSON: the message
);
CREATE INDEX alert_history_rule ON alert_history (rule, at);

-- state: waiting, sent, failed or dropped.
CREATE TABLE alert_delivery (
    history_id INTEGER NOT NULL,
    receiver   TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    attempts   INTEGER NOT NULL,
    at         BIGINT  NOT NULL,
    error      TEXT,
    PRIMARY KEY (history_id, receiver)
) WITHOUT ROWID;
