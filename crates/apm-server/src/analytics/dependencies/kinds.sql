-- Types of some destinations, by their ids (a JSON array).
SELECT d.id, d.span_type, d.span_subtype
FROM json_each(:ids) chosen
CROSS JOIN destination d ON d.id = chosen.value
