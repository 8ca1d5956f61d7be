-- Calls of a statement in one trace of the last minutes.
SELECT seq
FROM span
WHERE statement_id = :statement AND ts >= :since * 1000000 AND trace_id = :trace
LIMIT +:limit
