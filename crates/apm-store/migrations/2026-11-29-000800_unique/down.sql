DROP INDEX statement_identity;
CREATE INDEX statement_identity ON statement (service_id, fingerprint);

DROP INDEX resource_identity;
CREATE INDEX resource_identity ON resource (service_id, hash);
