-- One row, written to learn whether anything can be written.
CREATE TABLE probe (
    id   INTEGER NOT NULL PRIMARY KEY,
    data BLOB    NOT NULL
);
