-- Fingerprints of the statements of :ids.
SELECT q.id, q.fingerprint FROM json_each(:ids) j JOIN statement q ON q.id = j.value
