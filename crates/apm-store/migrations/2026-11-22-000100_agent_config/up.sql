-- Settings that agents fetch; '' stands for every service or environment.
CREATE TABLE agent_config (
    service TEXT NOT NULL,
    environment TEXT NOT NULL,
    etag TEXT NOT NULL,
    settings TEXT NOT NULL, -- a JSON object of texts
    applied INTEGER, -- when an agent last said that it has them, µs since the epoch
    PRIMARY KEY (service, environment)
) WITHOUT ROWID;
