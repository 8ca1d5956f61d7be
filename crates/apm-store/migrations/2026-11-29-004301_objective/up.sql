-- Service level objectives that people set.
CREATE TABLE objective (
    id       TEXT   NOT NULL PRIMARY KEY,
    document TEXT   NOT NULL, -- JSON
    changed  BIGINT NOT NULL
) WITHOUT ROWID;
