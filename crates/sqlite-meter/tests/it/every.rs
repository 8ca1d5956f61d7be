//! One observer for all connections that the process opens.

use std::cell::{Cell, RefCell};

use diesel::SqliteConnection;
use diesel::connection::Connection as _;
use sqlite_meter::{Finished, observe_every};

use crate::support::{Reports, people, run};

thread_local! {
    static SEEN: RefCell<Vec<(String, u64)>> = const { RefCell::new(Vec::new()) };
    static PANICS: Cell<bool> = const { Cell::new(false) };
}

fn see(finished: &Finished<'_>) {
    assert!(!PANICS.get(), "on purpose");
    SEEN.with_borrow_mut(|seen| {
        seen.push((finished.sql().into_owned(), finished.counters().steps))
    });
}

fn open() -> SqliteConnection {
    assert_eq!(observe_every(see), Ok(true));
    SqliteConnection::establish(":memory:").expect("a connection")
}

/// The texts that this thread has seen since the last time.
fn texts() -> Vec<String> {
    SEEN.take().into_iter().map(|(text, _)| text).collect()
}

#[test]
fn every_connection_is_seen_from_its_first_statement_on_and_only_on_its_thread() {
    let mut connection = open();
    run(&mut connection, "SELECT 1").expect("runs");
    std::thread::spawn(|| run(&mut open(), "SELECT 2").expect("runs"))
        .join()
        .expect("it runs");
    run(&mut connection, "SELECT 3").expect("runs");
    assert_eq!(texts(), ["SELECT 1", "SELECT 3"]);
    fn other(_: &Finished<'_>) {}
    assert_eq!(observe_every(other), Ok(false), "the first one stays");
}

#[test]
fn an_observer_of_one_connection_is_told_the_same_beside_it() {
    let mut connection = open();
    let reports = Reports::default();
    reports.attach(&mut connection);
    SEEN.take();
    run(&mut connection, &people(50)).expect("made");
    run(&mut connection, "SELECT count(*) FROM people WHERE age = 7").expect("runs");
    let own: Vec<(String, u64)> = reports
        .take()
        .into_iter()
        .map(|(text, counters)| (text, counters.steps))
        .collect();
    assert_eq!(own.len(), 3, "{own:?}");
    assert_eq!(SEEN.take(), own);
}

#[test]
fn a_panic_of_the_observer_reaches_nobody_and_the_next_statement_is_seen() {
    let mut connection = open();
    PANICS.set(true);
    run(&mut connection, "SELECT 1").expect("runs");
    PANICS.set(false);
    run(&mut connection, "SELECT 2").expect("runs");
    assert_eq!(texts(), ["SELECT 2"]);
}
