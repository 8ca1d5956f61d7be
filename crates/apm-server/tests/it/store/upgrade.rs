//! Databases of earlier versions go on, and can go back.

use apm_store::event::Event;
use apm_store::{MIGRATIONS, Store};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_migrations::MigrationHarness;

use super::{number, open, options};
use crate::support::events::{batch, metricset, transaction};

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
        conn.batch_execute("INSERT INTO result (value, last_seen) VALUES ('HTTP 5xx', 0)")
            .expect("the table of before");
        conn.batch_execute("INSERT INTO metric_name (name, last_seen) VALUES ('old', 0)")
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
    // What comes now belongs to its service.
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
