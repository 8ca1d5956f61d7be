-- The statements of :ids.
SELECT q.id, q.normalized AS text FROM json_each(:ids) j JOIN statement q ON q.id = j.value
