-- A transaction group and a statement by their ids. What begins and ends transactions, and settings, have no plan
-- and next to no steps.
SELECT g.name AS caller, s.name AS service, s.environment, q.instance, q.fingerprint, q.normalized, q.sample
FROM tx_group g
JOIN service s ON s.id = g.service_id
JOIN statement q ON q.id = :statement
    AND q.verb IN ('SELECT', 'INSERT', 'REPLACE', 'UPDATE', 'DELETE', 'VALUES', 'WITH')
WHERE g.id = :group
