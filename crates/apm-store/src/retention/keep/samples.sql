-- A sample of each statement and plan among the events numbered ?1 to ?2, unless there is one of the same day.
INSERT OR IGNORE INTO kept_for (trace_id, reason, subject, plan, hour)
SELECT w.trace_id, 5, w.statement_id, w.plan, w.hour
FROM (
    SELECT
        s.trace_id,
        s.statement_id,
        s.ts / 3600000000 * 3600 AS hour,
        coalesce((
            SELECT p.id
            FROM statement q
            JOIN service v ON v.id = q.service_id
            JOIN statement_plan p
                ON p.fingerprint = q.fingerprint AND p.service = v.name
                AND p.environment = v.environment AND p.instance = q.instance
            WHERE q.id = s.statement_id AND p.first_seen <= s.ts / 1000000
            ORDER BY p.id DESC
            LIMIT 1
        ), 0) AS plan
    FROM (
        SELECT trace_id, statement_id, ts, max(seq)
        FROM span
        WHERE seq BETWEEN ?1 AND ?2 AND statement_id IS NOT NULL
        GROUP BY statement_id
    ) s
) w
WHERE NOT EXISTS (
    SELECT 1
    FROM kept_for k
    WHERE k.reason = 5 AND k.subject = w.statement_id AND k.plan = w.plan AND k.hour > w.hour - 86400
)
