-- Findings that hold and were not dismissed, by service.
SELECT service, count(*) AS n
FROM finding
WHERE ended IS NULL AND dismissed IS NULL
  AND (:service IS NULL OR service = :service)
  AND (:environment IS NULL OR environment = :environment)
GROUP BY service
