-- Parent and transaction that the transactions and spans of :seqs name.
SELECT t.seq, t.parent_id, NULL AS transaction_id
FROM json_each(:seqs) j
JOIN tx t ON t.seq = j.value
UNION ALL
SELECT p.seq, p.parent_id, p.transaction_id
FROM json_each(:seqs) j
JOIN span p ON p.seq = j.value
