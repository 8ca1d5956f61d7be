-- Events of these blocks behind those that are done or on their way.
UPDATE output
SET lost = lost + (
    SELECT coalesce(sum(max(0, b.id * 128 + b.events - 1 - max(
        output.sent,
        CASE output.flight_kind WHEN 0 THEN output.flight_last ELSE -1 END,
        b.id * 128 - 1
    ))), 0)
    FROM block b
    WHERE b.id BETWEEN ?1 AND ?2
)
