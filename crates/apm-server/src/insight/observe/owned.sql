-- Spans that name their transaction, by arrival.
SELECT id, transaction_id FROM span WHERE seq > :from AND seq <= :to AND transaction_id IS NOT NULL
