-- Samples of statements of which there is a newer one go.
UPDATE kept_trace
SET reason = 9
WHERE reason = 5 AND EXISTS (
    SELECT 1
    FROM kept_trace n
    WHERE n.reason = 5 AND n.subject = kept_trace.subject AND n.plan = kept_trace.plan AND n.hour > kept_trace.hour
)
