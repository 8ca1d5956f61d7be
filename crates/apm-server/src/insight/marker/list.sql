-- Markers, newest first.
SELECT id, ts, service, environment, kind, name
FROM marker
WHERE (:service IS NULL OR service = '' OR service = :service)
  AND (:environment IS NULL OR environment IS NULL OR environment = :environment)
ORDER BY ts DESC, id DESC
LIMIT 500
