-- Drops the oldest plans of a statement that has more than ?5.
-- ?1: fingerprint, ?2: service, ?3: environment, ?4: database.
DELETE FROM statement_plan
WHERE fingerprint = ?1 AND service = ?2 AND environment = ?3 AND instance = ?4
  AND id <= (
      SELECT id FROM statement_plan
      WHERE fingerprint = ?1 AND service = ?2 AND environment = ?3 AND instance = ?4
      ORDER BY id DESC
      LIMIT 1 OFFSET ?5
  )
