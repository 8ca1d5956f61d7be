//! Reports that an instrumentation switches off and on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use diesel::connection::{InstrumentationEvent, SimpleConnection as _};
use diesel::prelude::*;
use sqlite_meter::{AttachError, Counters, Finished, Metered, Options, Switch, instrument};

use crate::support::{Wanted, people, run, switched};

diesel::table! { people { id -> Integer, name -> Text, age -> Integer, } }

/// Runs a statement whose prepared form Diesel keeps. SQLite prepares it again for each pattern.
fn like(connection: &mut SqliteConnection, name: &str) {
    let found = people::table.filter(people::name.like(name));
    let _: Vec<i32> = found.select(people::age).load(connection).expect("rows");
}

/// Runs one that SQLite prepares once.
fn named(connection: &mut SqliteConnection, name: &str) {
    let found = people::table.filter(people::name.eq(name));
    let _: Vec<i32> = found.select(people::age).load(connection).expect("rows");
}

/// The counters without those of the cache, which depend on what ran before.
fn without_pages(counters: Counters) -> (u64, u64, u64, u64, u64, Option<u64>) {
    let Counters {
        steps,
        fullscan_steps,
        sorts,
        autoindex_steps,
        reprepares,
        rows_returned,
        ..
    } = counters;
    (
        steps,
        fullscan_steps,
        sorts,
        autoindex_steps,
        reprepares,
        rows_returned,
    )
}

#[test]
fn nothing_is_reported_while_reports_are_off() {
    let (mut connection, reports, wanted) = switched(&people(20));
    for on in [true, false, false, true, true, false, true] {
        wanted.set(on);
        run(&mut connection, &format!("SELECT {}", u8::from(on))).expect("run");
        let seen: Vec<String> = reports.take().into_iter().map(|(sql, _)| sql).collect();
        assert_eq!(seen, vec!["SELECT 1"; usize::from(on)]);
    }
}

#[test]
fn what_ran_while_reports_were_off_is_counted_by_none_of_them() {
    let (mut connection, reports, wanted) = switched(&people(50));
    like(&mut connection, "name1%");
    reports.take();
    like(&mut connection, "name1%");
    let usual = reports.one();
    assert!(
        usual.fullscan_steps > 0 && usual.reprepares > 0,
        "{usual:?}"
    );
    for others in [0, 1, 7] {
        wanted.set(false);
        for _ in 0..others {
            like(&mut connection, "name%");
        }
        run(&mut connection, "UPDATE people SET city = 'elsewhere'").expect("run");
        wanted.set(true);
        for time in 0..3 {
            like(&mut connection, "name1%");
            let seen = reports.one();
            assert_eq!(without_pages(seen), without_pages(usual), "{others} {time}");
            assert_eq!(seen.pages_written, Some(0), "{others} {time}");
        }
    }
}

#[test]
fn a_statement_that_is_prepared_again_for_a_reported_run_says_so() {
    let (mut connection, reports, wanted) = switched(&people(50));
    named(&mut connection, "name1");
    reports.take();
    for (changes_while_off, changes_while_on) in [(0, 0), (1, 0), (0, 1), (3, 1)] {
        wanted.set(false);
        for change in 0..changes_while_off {
            let index = format!("CREATE INDEX i{change} ON people (age); DROP INDEX i{change}");
            connection.batch_execute(&index).expect("changed");
            named(&mut connection, "name1");
        }
        wanted.set(true);
        for _ in 0..changes_while_on {
            let index = "CREATE INDEX i ON people (age); DROP INDEX i";
            connection.batch_execute(index).expect("changed");
        }
        reports.take();
        named(&mut connection, "name1");
        let reprepares = reports.one().reprepares;
        assert_eq!(reprepares, changes_while_on, "{changes_while_off} before");
    }
}

#[test]
fn a_trigger_within_the_first_reported_run_loses_no_counts() {
    let made = people(30)
        + "CREATE TABLE log (n INTEGER);
           CREATE TRIGGER t AFTER UPDATE ON people BEGIN
             INSERT INTO log SELECT count(*) FROM people WHERE age = new.age;
           END;";
    let (mut connection, reports, wanted) = switched(&made);
    let sql = "UPDATE people SET city = 'x' WHERE age = 9";
    run(&mut connection, sql).expect("run");
    let usual = without_pages(reports.one());
    wanted.set(false);
    run(&mut connection, sql).expect("run");
    wanted.set(true);
    run(&mut connection, sql).expect("run");
    assert_eq!(without_pages(reports.one()), usual);
}

#[test]
fn counts_stay_exact_when_begins_are_reported_no_more() {
    let (mut connection, reports, wanted) = switched(&people(10));
    like(&mut connection, "name1%");
    reports.take();
    like(&mut connection, "name1%");
    let usual = without_pages(reports.one());
    wanted.set(false);
    // Kept, and not run again before the counters of all statements are set to zero.
    like(&mut connection, "name%");
    wanted.set(true);
    for _ in 0..1_100 {
        run(&mut connection, "SELECT 1").expect("run");
    }
    assert_eq!(reports.take().len(), 1_100);
    like(&mut connection, "name1%");
    assert_eq!(without_pages(reports.one()), usual);
}

#[test]
fn a_switch_does_nothing_once_the_connection_has_lost_its_function() {
    let (mut connection, reports, wanted) = switched("");
    diesel::define_sql_function! { fn sqlite_meter_locate() -> diesel::sql_types::Integer; }
    sqlite_meter_locate_utils::register_impl(&connection, || 7).expect("registered");
    for on in [false, true, false, true] {
        wanted.set(on);
        run(&mut connection, "SELECT 1").expect("run");
    }
    assert!(reports.take().is_empty());
}

#[test]
fn a_detached_connection_is_not_reported_whatever_its_switch_says() {
    let (mut connection, reports, wanted) = switched("");
    sqlite_meter::detach(&mut connection).expect("detached");
    reports.take();
    for on in [false, true] {
        wanted.set(on);
        run(&mut connection, "SELECT 1").expect("run");
    }
    assert!(reports.take().is_empty());
}

#[test]
fn a_connection_that_is_switched_goes_from_thread_to_thread_and_ends_on_another() {
    let (mut connection, reports, wanted) = switched(&people(20));
    for round in 0..10 {
        let wanted = wanted.clone();
        connection = std::thread::spawn(move || {
            wanted.set(round % 2 == 0);
            like(&mut connection, "name1%");
            connection
        })
        .join()
        .expect("no panic");
    }
    std::thread::spawn(move || drop(connection))
        .join()
        .expect("no panic");
    assert_eq!(reports.take().len(), 5);
}

/// Counts how many of it are gone.
struct Alive(Arc<AtomicUsize>);

impl Metered for Alive {
    fn on_connection_event(&mut self, _: InstrumentationEvent<'_>, _: Switch<'_>) {}

    fn on_finished(&mut self, finished: &Finished<'_>) {
        assert_ne!(finished.sql(), "SELECT 'panic'", "on purpose");
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn an_instrumentation_goes_with_its_connection_or_when_another_takes_its_place() {
    let count = Arc::new(AtomicUsize::new(0));
    let gone = || count.load(Ordering::SeqCst);
    sqlite_meter::install().expect("installed");
    let instrument = |connection: &mut SqliteConnection| {
        let alive = Alive(Arc::clone(&count));
        instrument(connection, Options::default(), || alive).expect("attached");
    };
    let mut connection = SqliteConnection::establish(":memory:").expect("a connection");
    instrument(&mut connection);
    drop(connection);
    assert_eq!(gone(), 1);
    let mut connection = SqliteConnection::establish(":memory:").expect("a connection");
    instrument(&mut connection);
    instrument(&mut connection);
    assert_eq!(gone(), 2);
    connection.set_instrumentation(|_: InstrumentationEvent<'_>| {});
    run(&mut connection, "SELECT 1").expect("run");
    assert_eq!(gone(), 2, "it still gets reports");
    drop(connection);
    assert_eq!(gone(), 3);
}

#[test]
fn a_panic_in_a_report_ends_the_reports_and_the_statement_succeeds() {
    let gone = Arc::new(AtomicUsize::new(0));
    sqlite_meter::install().expect("installed");
    let mut connection = SqliteConnection::establish(":memory:").expect("a connection");
    let alive = Alive(Arc::clone(&gone));
    instrument(&mut connection, Options::default(), || alive).expect("attached");
    for _ in 0..2 {
        run(&mut connection, "SELECT 'panic'").expect("run");
    }
    drop(connection);
    assert_eq!(gone.load(Ordering::SeqCst), 1);
}

#[test]
fn no_instrumentation_is_made_for_a_connection_that_cannot_be_measured() {
    let (mut connection, ..) = switched("");
    diesel::define_sql_function! { fn sqlite_meter_locate() -> diesel::sql_types::Integer; }
    sqlite_meter_locate_utils::register_impl(&connection, || 7).expect("registered");
    let refused = instrument(&mut connection, Options::default(), || -> Wanted {
        unreachable!("it cannot be measured")
    });
    assert!(matches!(refused, Err(AttachError::Foreign)));
}
