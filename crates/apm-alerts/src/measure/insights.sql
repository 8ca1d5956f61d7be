-- Findings that hold, were not dismissed, and began since a time.
-- ?1 service, ?2 environment ('' is all), ?3 since when, ?4 least severity.
SELECT id, service, environment, coalesce(document ->> '$.title', kind) AS title
FROM finding
WHERE ended IS NULL
  AND dismissed IS NULL
  AND (?1 = '' OR service = ?1)
  AND (?2 = '' OR environment = ?2)
  AND first_seen >= ?3
  AND severity >= ?4
ORDER BY severity DESC, saving DESC
LIMIT 1000
