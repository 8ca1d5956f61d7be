-- The newest calls of a statement.
SELECT seq FROM span WHERE statement_id = :statement ORDER BY ts DESC LIMIT +:limit
