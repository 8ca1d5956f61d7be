-- Opens the groups whose time is over; ?1 is now, in seconds.
UPDATE error_triage
SET status = 0, reopened = until * 1000000, reopened_by = 'time', until = NULL, until_count = NULL, new_version = 0
WHERE until <= ?1
