DROP INDEX statement_identity;
CREATE INDEX statement_fingerprint ON statement (fingerprint);
CREATE INDEX statement_service ON statement (service_id);

DROP INDEX resource_identity;
CREATE INDEX resource_hash ON resource (hash);
CREATE INDEX resource_service ON resource (service_id);
