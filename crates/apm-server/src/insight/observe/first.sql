-- The number of the first event that a request from a time on may have: that of a block with an event since then, or of
-- a request. Spans may come long before their request, and begin after it.
SELECT coalesce((SELECT min(first) FROM (SELECT min(id) * 128 AS first FROM block WHERE ts_max >= :since
                                         UNION ALL
                                         SELECT min(seq) FROM tx WHERE ts >= :since)),
                (SELECT max(seq) FROM tx),
                0) AS n
