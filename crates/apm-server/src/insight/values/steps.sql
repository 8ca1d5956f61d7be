-- The newest calls of a statement since a time (microseconds).
SELECT seq FROM span WHERE statement_id = :statement AND ts >= :since ORDER BY ts DESC LIMIT +:limit
