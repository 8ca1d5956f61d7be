-- What people decided and servers before one engine share: settings of agents, markers, states of errors. See docs/adr/0336.
-- key: which setting, marker or error, as JSON. version: µs since 1970 of the change, and more than that of the change
-- before. node: the server that made it. body: JSON; null where it was removed. is_sent: whether the engine has it.
CREATE TABLE share_document (
    kind    TEXT    NOT NULL,
    key     TEXT    NOT NULL,
    version BIGINT  NOT NULL,
    node    TEXT    NOT NULL,
    body    TEXT,
    is_sent BOOLEAN NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;

CREATE INDEX share_document_waiting ON share_document (version) WHERE NOT is_sent;
