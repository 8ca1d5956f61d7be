//! One observer for all connections that the process opens: in processes of their own, for it stays.

use std::cell::{Cell, RefCell};

use diesel::SqliteConnection;
use diesel::connection::Connection as _;
use sqlite_meter::{Counters, Finished, Options, attach, detach, observe_every};
use test_support::alone;

use crate::support::{Reports, Wanted, people, run, switched};

thread_local! {
    static SEEN: RefCell<Vec<(String, u64)>> = const { RefCell::new(Vec::new()) };
    static COUNTERS: RefCell<Vec<Counters>> = const { RefCell::new(Vec::new()) };
    static PANICS: Cell<bool> = const { Cell::new(false) };
}

pub(super) fn see(finished: &Finished<'_>) {
    assert!(!PANICS.get(), "on purpose");
    COUNTERS.with_borrow_mut(|counters| counters.push(*finished.counters()));
    SEEN.with_borrow_mut(|seen| {
        seen.push((finished.sql().into_owned(), finished.counters().steps))
    });
}

fn open() -> SqliteConnection {
    assert_eq!(observe_every(see), Ok(true));
    SqliteConnection::establish(":memory:").expect("a connection")
}

/// The texts that this thread has seen since the last time.
pub(super) fn texts() -> Vec<String> {
    SEEN.take().into_iter().map(|(text, _)| text).collect()
}

#[test]
fn every_connection_is_seen_from_its_first_statement_on_and_only_on_its_thread() {
    alone("every::seen", &[]);
}

#[test]
#[ignore = "it runs in a process of its own"]
fn seen() {
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
    alone("every::beside", &[]);
}

#[test]
#[ignore = "it runs in a process of its own"]
fn beside() {
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
    alone("every::panics", &[]);
}

#[test]
#[ignore = "it runs in a process of its own"]
fn panics() {
    let mut connection = open();
    PANICS.set(true);
    run(&mut connection, "SELECT 1").expect("runs");
    PANICS.set(false);
    run(&mut connection, "SELECT 2").expect("runs");
    assert_eq!(texts(), ["SELECT 2"]);
}

#[test]
fn it_is_told_of_statements_for_which_an_instrumentation_has_switched_reports_off() {
    alone("every::switched_off", &[]);
}

#[test]
#[ignore = "it runs in a process of its own"]
fn switched_off() {
    assert_eq!(observe_every(see), Ok(true));
    let (mut connection, reports, wanted) = switched("");
    SEEN.take();
    let mut set = |wanted: &Wanted, on: bool| {
        wanted.set(on);
        run(&mut connection, &format!("SELECT '{on}'")).expect("run");
    };
    for on in [true, false, false, true] {
        set(&wanted, on);
    }
    let all = [
        "SELECT 'true'",
        "SELECT 'false'",
        "SELECT 'false'",
        "SELECT 'true'",
    ];
    assert_eq!(texts(), all);
    let own: Vec<String> = reports.take().into_iter().map(|(text, _)| text).collect();
    assert_eq!(own, ["SELECT 'true'"; 2]);
}

#[test]
fn it_is_told_the_same_whatever_the_observer_of_a_connection_wants_and_when_that_has_gone() {
    alone("every::stays", &[]);
}

#[test]
#[ignore = "it runs in a process of its own"]
fn stays() {
    const SQL: &str = "SELECT id FROM people WHERE id <= 7";
    let mut connection = open();
    run(&mut connection, &people(50)).expect("made");
    let counted = |connection: &mut SqliteConnection| {
        COUNTERS.take();
        run(connection, SQL).expect("runs");
        let all = COUNTERS.take();
        let [counters] = &all[..] else {
            panic!("one report: {all:?}");
        };
        *counters
    };
    let alone = counted(&mut connection);
    assert_eq!(alone.rows_returned, Some(7));
    let least = Options::default().rows(false).pages(false);
    attach(&mut connection, least, |_| {}).expect("attached");
    assert_eq!(counted(&mut connection), alone);
    detach(&mut connection).expect("detached");
    assert_eq!(counted(&mut connection), alone);
    attach(&mut connection, Options::default().time(true), |_| {}).expect("attached");
    assert_eq!(counted(&mut connection), alone);
}
