-- Times that events were sent with and that cannot be: the time of arrival stands for them in the events' own tables.
-- Few events have one, so it is no column of these.
CREATE TABLE sent_time (
    seq INTEGER PRIMARY KEY,
    sent INTEGER NOT NULL
);
