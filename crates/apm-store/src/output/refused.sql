-- Counts under `other` where there are many reasons.
INSERT INTO output_refused (reason, count)
SELECT CASE
           WHEN EXISTS (SELECT 1 FROM output_refused WHERE reason = ?1) THEN ?1
           WHEN (SELECT count(*) FROM output_refused) < ?3 THEN ?1
           ELSE 'other'
       END,
       ?2
WHERE true
ON CONFLICT (reason) DO UPDATE SET count = count + excluded.count
