SELECT id, ts_max
FROM block
WHERE ts_max >= :from AND ts_min < :to AND ts_max <= :last AND (ts_max < :last OR id < :id)
ORDER BY ts_max DESC, id DESC
LIMIT +:most
