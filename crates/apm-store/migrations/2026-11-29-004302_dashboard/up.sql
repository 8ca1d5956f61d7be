-- Charts and views of pages that people pinned to the dashboard. address: path and query of the page. chart: the id of the
-- chart on it; empty for the page as a whole.
CREATE TABLE dashboard_pin (
    id      INTEGER NOT NULL PRIMARY KEY,
    title   TEXT    NOT NULL,
    address TEXT    NOT NULL,
    chart   TEXT    NOT NULL
);
