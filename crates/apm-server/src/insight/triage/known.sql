-- Whether a group occurred in a version before its status was decided.
SELECT EXISTS (
    SELECT 1
    FROM service s
    JOIN error_group g ON g.service_id = s.id
    LEFT JOIN error_triage m ON m.service = s.name AND m.grouping_key = g.grouping_key
    JOIN error_version v ON v.group_id = g.id
    WHERE s.name = :service
      AND coalesce(m.merged_into, g.grouping_key) = :root
      AND v.version = :version
      AND v.first_ts <= :changed
) AS n
