SELECT name, environment
FROM service
ORDER BY name, environment
