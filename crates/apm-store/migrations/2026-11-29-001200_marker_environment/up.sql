-- A marker is of one environment of its service; null is every environment. What was set before is not known better.
ALTER TABLE marker ADD COLUMN environment TEXT;

-- Each environment has a version of its own: else two of them set a marker in turn.
CREATE TABLE version_by_environment (
    service     TEXT NOT NULL,
    environment TEXT NOT NULL,
    version     TEXT NOT NULL,
    PRIMARY KEY (service, environment)
) WITHOUT ROWID;
INSERT INTO version_by_environment
SELECT v.service, s.environment, v.version
FROM service_version v
JOIN service s ON s.name = v.service;
DROP TABLE service_version;
ALTER TABLE version_by_environment RENAME TO service_version;
