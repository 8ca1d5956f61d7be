-- The hours of the traces that are kept for a reason, in the order of their list.
SELECT hour
FROM kept_for
WHERE reason = :reason
ORDER BY hour DESC
LIMIT +:limit
