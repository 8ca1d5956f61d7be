//! Databases of earlier versions go on, and can go back.

use apm_store::event::{Event, MetricKind};
use apm_store::{MIGRATIONS, Store};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_migrations::MigrationHarness;

use super::{number, open, options};
use crate::support::events::{batch, metricset, pairs, transaction};

/// Goes back to the schema before a version. Migrations are named by day and number, so their names are in order.
fn go_back(path: &std::path::Path, version: &str) {
    let path = path.to_str().expect("UTF-8");
    let mut conn = SqliteConnection::establish(path).expect("opens");
    loop {
        let applied = conn.applied_migrations().expect("migrations");
        let newest = applied.iter().map(ToString::to_string).max();
        if newest.expect("a migration").as_str() < version {
            return;
        }
        conn.revert_last_migration(MIGRATIONS).expect("down");
    }
}

fn send(store: &Store, service: &str, first: u64) {
    let mut sent = batch(service);
    for number in first..first + 3 {
        let event = transaction(&mut sent, number, "a");
        sent.events.push(Event::Transaction(event));
        let event = metricset(&mut sent, 1.0);
        sent.events.push(Event::Metricset(event));
    }
    store.submit(sent).expect("room").wait().expect("stored");
}

#[test]
fn results_and_metrics_of_a_database_without_services_beside_them_are_still_found() {
    const BEFORE: &str = "20261129000401";
    let dir = tempfile::tempdir().expect("a directory");
    let path = options(dir.path()).path;
    let results = "SELECT count(*) AS n FROM v_transactions WHERE result = 'HTTP 2xx'";
    let samples = "SELECT count(*) AS n FROM metric_sample m JOIN metric_name n ON n.id = m.name_id \
        WHERE n.name = 'system.memory.total'";
    {
        let store = open(dir.path());
        send(&store, "shop", 0);
        send(&store, "cart", 10);
        assert_eq!(number(&store, "SELECT count(*) AS n FROM result"), 2);
    }
    // Back: one row for both services.
    go_back(&path, BEFORE);
    {
        let mut conn = SqliteConnection::establish(path.to_str().expect("UTF-8")).expect("opens");
        conn.batch_execute(
            "INSERT INTO result (value, last_seen) VALUES ('HTTP 5xx', unixepoch())",
        )
        .expect("the table of before");
        conn.batch_execute("INSERT INTO metric_name (name, last_seen) VALUES ('old', unixepoch())")
            .expect("the table of before");
    }
    let store = open(dir.path());
    assert_eq!(
        number(
            &store,
            "SELECT count(*) AS n FROM result WHERE service_id = 0"
        ),
        2
    );
    assert_eq!((number(&store, results), number(&store, samples)), (6, 6));
    let counted =
        "SELECT sum(n) AS n FROM roll_tx r JOIN result v ON v.id = r.result_id WHERE level = 60";
    assert_eq!(number(&store, counted), 6);
    // Events that come now belong to their service.
    send(&store, "shop", 20);
    assert_eq!((number(&store, results), number(&store, samples)), (9, 9));
    assert_eq!(
        number(
            &store,
            "SELECT count(*) AS n FROM result WHERE service_id > 0"
        ),
        1
    );
    assert_eq!(number(&store, counted), 9);
}

#[test]
fn a_counter_goes_on_from_its_last_value_when_a_process_gets_another_name() {
    const VERSION: &str = "20261130004560";
    let dir = tempfile::tempdir().expect("a directory");
    let path = options(dir.path()).path;
    // The last value of a process that has been silent for a day is deleted.
    let first = batch("shop").received - 600_000_000;
    let report = |store: &Store, minute: i64, value: f64| {
        let mut sent = batch("shop");
        let mut event = metricset(&mut sent, value);
        event.timestamp = first + minute * 60_000_000;
        sent.samples[0].kind = MetricKind::Counter;
        sent.events.push(Event::Metricset(event));
        store.submit(sent).expect("room").wait().expect("stored");
    };
    let grown =
        "SELECT CAST(coalesce(sum(sum), 0) AS INTEGER) AS n FROM roll_metric WHERE level = 60";
    {
        let store = open(dir.path());
        report(&store, 0, 10.0);
        report(&store, 1, 14.0);
        assert_eq!(number(&store, grown), 4);
    }
    // Back: a process is the number of its resource.
    go_back(&path, VERSION);
    {
        let mut conn = SqliteConnection::establish(path.to_str().expect("UTF-8")).expect("opens");
        conn.batch_execute(
            "CREATE TABLE checked (n INTEGER CHECK (n = 1)); INSERT INTO checked SELECT count(*) FROM metric_state \
             WHERE resource_id IN (SELECT id FROM resource); DROP TABLE checked",
        )
        .expect("the last value is there");
    }
    let store = open(dir.path());
    report(&store, 2, 20.0);
    assert_eq!(number(&store, grown), 10);
    let states =
        "SELECT count(*) AS n FROM metric_state WHERE process IN (SELECT hash FROM resource)";
    assert_eq!(number(&store, states), 1);
}

#[test]
fn statements_that_are_there_twice_become_one_with_all_that_refers_to_them() {
    const BEFORE: &str = "20261129000800";
    let dir = tempfile::tempdir().expect("a directory");
    let path = options(dir.path()).path;
    let path = path.to_str().expect("UTF-8");
    {
        let store = open(dir.path());
        for batch in [pairs("shop", 0, 10), pairs("cart", 100, 10)] {
            store.submit(batch).expect("room").wait().expect("stored");
        }
    }
    go_back(path.as_ref(), BEFORE);
    {
        let mut conn = SqliteConnection::establish(path).expect("opens");
        // Half of the spans of one service, and half of what is counted of them, belong to a second row of the same
        // statement.
        conn.batch_execute(
            "INSERT INTO statement (service_id, instance, subtype, fingerprint, normalized, sample, verb, table_name,
                                    first_seen, last_seen)
             SELECT service_id, instance, subtype, fingerprint, normalized, sample, verb, table_name, first_seen + 1,
                 last_seen + 7
             FROM statement WHERE id = (SELECT min(id) FROM statement);
             UPDATE span SET statement_id = (SELECT max(id) FROM statement)
             WHERE statement_id = (SELECT min(id) FROM statement) AND seq % 4 < 2;
             INSERT INTO roll_statement
             SELECT level, (SELECT max(id) FROM statement), bucket, outcome, 3, 3, 30, max + 5 FROM roll_statement
             WHERE statement_id = (SELECT min(id) FROM statement);
             INSERT INTO roll_statement_hist
             SELECT level, (SELECT max(id) FROM statement), bucket, outcome, bin, 3 FROM roll_statement_hist
             WHERE statement_id = (SELECT min(id) FROM statement);
             INSERT INTO resource (service_id, hash, document, last_seen)
             SELECT service_id, hash, document, last_seen FROM resource",
        )
        .expect("rows of before");
    }
    let store = open(dir.path());
    for (sql, want) in [
        ("SELECT count(*) AS n FROM statement", 2),
        ("SELECT count(DISTINCT statement_id) AS n FROM span", 2),
        (
            "SELECT count(*) AS n FROM span WHERE statement_id IN (SELECT id FROM statement)",
            20,
        ),
        (
            "SELECT sum(n) AS n FROM roll_statement WHERE level = 60 AND statement_id = (SELECT min(id) FROM \
                statement)",
            13,
        ),
        (
            "SELECT max(max) AS n FROM roll_statement WHERE level = 3600",
            705,
        ),
        (
            "SELECT sum(count) AS n FROM roll_statement_hist WHERE level = 600 AND statement_id = (SELECT min(id) FROM \
                statement)",
            13,
        ),
        ("SELECT count(*) AS n FROM resource", 4),
        (
            "SELECT count(*) AS n FROM (SELECT DISTINCT service_id, hash FROM resource)",
            4,
        ),
    ] {
        assert_eq!(number(&store, sql), want, "{sql}");
    }
    // Events that come now find the rows that are left.
    store
        .submit(pairs("shop", 50, 1))
        .expect("room")
        .wait()
        .expect("stored");
    assert_eq!(number(&store, "SELECT count(*) AS n FROM statement"), 2);
    assert_eq!(number(&store, "SELECT count(*) AS n FROM resource"), 4);
}
