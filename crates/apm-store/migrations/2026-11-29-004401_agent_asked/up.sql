-- Agents that asked for their settings: which they have applied. Written when that changes, else every ten minutes.
-- etag: that of the settings that the agent has; nothing where it has none.
CREATE TABLE agent_asked (
    service     TEXT    NOT NULL,
    environment TEXT    NOT NULL,
    agent       TEXT    NOT NULL,
    etag        TEXT    NOT NULL,
    at          INTEGER NOT NULL, -- µs since the epoch
    PRIMARY KEY (service, environment, agent)
) WITHOUT ROWID;
CREATE INDEX agent_asked_at ON agent_asked (at);
