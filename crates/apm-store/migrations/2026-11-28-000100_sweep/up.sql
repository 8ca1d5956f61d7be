-- Whether a service has metadata lines left, asked when unused services are swept, and by SQLite itself for each one that goes.
CREATE INDEX resource_service ON resource (service_id);
