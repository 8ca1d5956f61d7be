SELECT id, ts_max
FROM block
WHERE ts_max >= :from AND ts_min < :to AND ts_max <= :last AND (ts_max < :last OR id < :id)
  -- Of blocks of before it is not known how long their events took.
  AND (ifnull(tx_longest, 9e999) >= :tx_least OR ifnull(span_longest, 9e999) >= :span_least)
ORDER BY ts_max DESC, id DESC
LIMIT +:most
