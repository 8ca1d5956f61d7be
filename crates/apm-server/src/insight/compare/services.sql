-- Services and their environments.
SELECT name, environment FROM service WHERE :service IS NULL OR name = :service ORDER BY last_seen DESC, id LIMIT :limit
