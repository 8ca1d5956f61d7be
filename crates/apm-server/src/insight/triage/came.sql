-- New occurrences by group and sender, and those of them since the status of the group was decided.
SELECT e.group_id,
       s.name AS service,
       coalesce(m.merged_into, g.grouping_key) AS root,
       coalesce(CASE WHEN json_valid(r.document) THEN r.document ->> '$.metadata.service.version' END, '') AS version,
       count(*) AS n,
       min(e.ts) AS first,
       max(e.ts) AS last,
       count(*) FILTER (WHERE e.ts > t.changed) AS later,
       min(e.ts) FILTER (WHERE e.ts > t.changed) AS first_later
FROM error e
JOIN error_group g ON g.id = e.group_id
JOIN service s ON s.id = g.service_id
LEFT JOIN resource r ON r.id = e.resource_id
LEFT JOIN error_triage m ON m.service = s.name AND m.grouping_key = g.grouping_key
LEFT JOIN error_triage t ON t.service = s.name AND t.grouping_key = coalesce(m.merged_into, g.grouping_key)
WHERE e.seq > :from AND e.seq <= :to
GROUP BY e.group_id, e.resource_id
