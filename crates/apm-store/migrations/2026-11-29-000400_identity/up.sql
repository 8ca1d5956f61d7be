-- One index for each look-up of the writer. With an index on service_id beside one on the hash, SQLite chose the first and read all
-- rows of the service for each new one. Now the only index that begins with service_id also has the hash. It is not unique, because
-- two texts may share a hash: the text is compared too, and the one writer sees to it that a row is there once.
DROP INDEX statement_fingerprint;
DROP INDEX statement_service;
CREATE INDEX statement_identity ON statement (service_id, fingerprint);

DROP INDEX resource_hash;
DROP INDEX resource_service;
CREATE INDEX resource_identity ON resource (service_id, hash);
