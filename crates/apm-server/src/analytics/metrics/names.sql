-- Metrics of one service with a sample in the window, in order, after a name. owner: the service, or 0 for names that
-- were there before they belonged to a service.
SELECT n.name
FROM metric_name n
WHERE n.service_id = :owner
  AND n.name > :after
  AND EXISTS (
      SELECT 1 FROM metric_sample m WHERE m.service_id = :id AND m.name_id = n.id AND m.ts >= :from AND m.ts < :to
  )
ORDER BY n.name
LIMIT :most
