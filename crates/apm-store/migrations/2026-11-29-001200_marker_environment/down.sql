CREATE TABLE version_by_service (
    service TEXT NOT NULL PRIMARY KEY,
    version TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO version_by_service
SELECT service, max(version)
FROM service_version
GROUP BY service;
DROP TABLE service_version;
ALTER TABLE version_by_service RENAME TO service_version;
ALTER TABLE marker DROP COLUMN environment;
