-- The results of :ids.
SELECT r.id, r.value AS text FROM json_each(:ids) j JOIN result r ON r.id = j.value
