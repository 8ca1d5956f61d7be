-- Samples of statements of which there is a newer one are not kept for that any more.
DELETE FROM kept_for
WHERE reason = 5 AND EXISTS (
    SELECT 1
    FROM kept_for n
    WHERE n.reason = 5 AND n.subject = kept_for.subject AND n.plan = kept_for.plan AND n.hour > kept_for.hour
)
