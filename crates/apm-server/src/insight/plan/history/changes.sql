-- Statements whose plan is another since :from: the first row with the plan of today, and the plan before it.
SELECT n.service, n.environment, n.instance, n.fingerprint, n.version, n.plan, n.first_seen,
       b.plan AS plan_before, b.version AS version_before
FROM statement_plan n
CROSS JOIN statement_plan b ON b.id = (
    SELECT max(p.id) FROM statement_plan p
    WHERE p.fingerprint = n.fingerprint AND p.service = n.service AND p.environment = n.environment
      AND p.instance = n.instance AND p.id < n.id
)
WHERE n.first_seen >= :from
  AND b.plan <> n.plan
  AND NOT EXISTS (
      SELECT 1 FROM statement_plan p
      WHERE p.fingerprint = n.fingerprint AND p.service = n.service AND p.environment = n.environment
        AND p.instance = n.instance AND p.id > n.id AND p.plan <> n.plan
  )
LIMIT 500
