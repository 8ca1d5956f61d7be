-- Markers, newest first.
SELECT id, ts, service, kind, name
FROM marker
WHERE :service IS NULL OR service = '' OR service = :service
ORDER BY ts DESC, id DESC
LIMIT 500
