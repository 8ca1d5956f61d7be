-- Source maps that people uploaded: what the lines of a minified file of a version of a service were written as.
-- path: the address of the minified file, or its path alone. map: compressed by zstd. received: seconds since 1970.
CREATE TABLE source_map (
    id        INTEGER NOT NULL PRIMARY KEY,
    service   TEXT    NOT NULL,
    version   TEXT    NOT NULL,
    path      TEXT    NOT NULL,
    received  BIGINT  NOT NULL,
    raw_bytes BIGINT  NOT NULL,
    bytes     BIGINT  NOT NULL,
    hash      BLOB    NOT NULL,
    map       BLOB    NOT NULL,
    UNIQUE (service, version, path)
);
