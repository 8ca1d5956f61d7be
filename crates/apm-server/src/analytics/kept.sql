-- Traces that are kept for a reason, those of the newest hours first.
SELECT
    k.trace_id,
    k.hour,
    t.events,
    t.bytes,
    coalesce(v.name, '') AS service,
    coalesce(g.name, e.message, q.normalized, '') AS subject
FROM (
    SELECT trace_id, reason, subject, hour
    FROM kept_for
    WHERE reason = :reason
    ORDER BY hour DESC, trace_id
    LIMIT +:limit OFFSET +:first
) k
JOIN kept_trace t ON t.trace_id = k.trace_id
LEFT JOIN tx_group g ON k.reason IN (1, 3, 4) AND g.id = k.subject
LEFT JOIN error_group e ON k.reason = 2 AND e.id = k.subject
LEFT JOIN statement q ON k.reason = 5 AND q.id = k.subject
LEFT JOIN service v ON v.id = coalesce(g.service_id, e.service_id, q.service_id)
ORDER BY k.hour DESC, k.trace_id
