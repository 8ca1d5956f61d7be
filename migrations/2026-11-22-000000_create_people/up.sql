CREATE TABLE people (
    id      INTEGER PRIMARY KEY NOT NULL,
    name    TEXT    NOT NULL,
    age     INTEGER NOT NULL,
    surname TEXT    NOT NULL,
    city    TEXT    NOT NULL
);
