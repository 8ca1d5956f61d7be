-- Opens a finding, or keeps it open; one that had ended begins anew.
INSERT INTO finding (id, kind, service, environment, severity, saving, document, first_seen, last_seen)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
    severity = excluded.severity,
    saving = excluded.saving,
    document = excluded.document,
    first_seen = CASE WHEN ended IS NULL THEN first_seen ELSE excluded.first_seen END,
    last_seen = excluded.last_seen,
    ended = NULL
