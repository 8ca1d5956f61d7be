-- Ten minutes (their start, seconds since 1970) in which something happened and of whose minutes all, or the first, are
-- gone.
WITH ten AS (
    SELECT r.bucket,
           NOT EXISTS (
               SELECT 1 FROM roll_received m WHERE m.level = 60 AND m.bucket >= r.bucket AND m.bucket < r.bucket + 600
           ) AS empty,
           (SELECT max(e.bucket) FROM roll_received e WHERE e.level = 600 AND e.bucket < r.bucket) AS earlier
    FROM roll_received r
    WHERE r.level = 600 AND r.bucket >= :first AND r.bucket < :last
)
SELECT t.bucket
FROM ten t
WHERE t.empty
   -- The first ones after those that are gone: some of their minutes may be, too.
   OR t.earlier IS NOT NULL
      AND NOT EXISTS (
          SELECT 1 FROM roll_received m WHERE m.level = 60 AND m.bucket >= t.earlier AND m.bucket < t.earlier + 600
      )
      AND (
          SELECT coalesce(sum(r.n), 0)
          FROM tx_group g
          CROSS JOIN roll_tx r ON r.level = 600 AND r.group_id = g.id AND r.bucket = t.bucket
      ) > (
          SELECT coalesce(sum(r.n), 0)
          FROM tx_group g
          CROSS JOIN roll_tx r
              ON r.level = 60 AND r.group_id = g.id AND r.bucket >= t.bucket AND r.bucket < t.bucket + 600
      )
