//! Connections, threads and observers that come and go.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use diesel::connection::{Connection as _, SimpleConnection as _};
use diesel::{RunQueryDsl as _, SqliteConnection};
use sqlite_meter::{AttachError, Options, attach, detach};

use crate::support::{Reports, measured, people, run};

#[test]
fn a_connection_that_nobody_attached_to_reports_nothing() {
    let (mut watched, reports) = measured("CREATE TABLE t (a)");
    let mut other = SqliteConnection::establish(":memory:").expect("a connection");
    other
        .batch_execute("CREATE TABLE u (a); INSERT INTO u VALUES (1)")
        .expect("run");
    run(&mut watched, "INSERT INTO t VALUES (1)").expect("run");
    let seen: Vec<String> = reports.take().into_iter().map(|(sql, _)| sql).collect();
    assert_eq!(seen, ["INSERT INTO t VALUES (1)"]);
}

#[test]
fn the_connection_that_is_attached_to_is_the_one_that_was_given() {
    sqlite_meter::install().expect("installed");
    // All opened on one thread, attached to in another order, some closed before.
    let mut connections: Vec<SqliteConnection> = (0..20)
        .map(|_| SqliteConnection::establish(":memory:").expect("a connection"))
        .collect();
    connections.truncate(15);
    let mut reports: Vec<Reports> = (0..15).map(|_| Reports::default()).collect();
    for at in (0..15).rev() {
        reports[at].attach(&mut connections[at]);
    }
    drop(connections.drain(..5));
    drop(reports.drain(..5));
    for (at, connection) in connections.iter_mut().enumerate() {
        run(connection, &format!("SELECT {at}")).expect("run");
    }
    for (at, reports) in reports.iter().enumerate() {
        let seen = reports.take();
        assert_eq!(seen.len(), 1);
        assert_eq!(seen[0].0, format!("SELECT {at}"));
    }
}

#[test]
fn many_threads_see_their_own_connections() {
    sqlite_meter::install().expect("installed");
    let expected = {
        let (mut connection, reports) = measured(&people(500));
        run(&mut connection, "SELECT count(*) FROM people WHERE age = 9").expect("run");
        reports.one()
    };
    let threads: Vec<_> = (0..8)
        .map(|_| {
            std::thread::spawn(move || {
                for _ in 0..10 {
                    let (mut connection, reports) = measured(&people(500));
                    for _ in 0..10 {
                        run(&mut connection, "SELECT count(*) FROM people WHERE age = 9")
                            .expect("run");
                    }
                    // A connection may go to another thread.
                    let mut connection = std::thread::spawn(move || {
                        run(&mut connection, "SELECT count(*) FROM people WHERE age = 9")
                            .expect("run");
                        connection
                    })
                    .join()
                    .expect("no panic");
                    detach(&mut connection).expect("detached");
                    run(&mut connection, "SELECT 1").expect("run");
                    let seen = reports.take();
                    assert_eq!(seen.len(), 12, "{seen:?}");
                    for (_, counters) in &seen[..11] {
                        assert_eq!(
                            (counters.steps, counters.fullscan_steps),
                            (expected.steps, expected.fullscan_steps)
                        );
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no panic");
    }
}

/// Counts how many of it are alive.
struct Alive(Arc<AtomicUsize>);

impl Alive {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn an_observer_goes_with_its_connection_or_when_it_is_replaced_or_detached() {
    sqlite_meter::install().expect("installed");
    let count = Arc::new(AtomicUsize::new(0));
    let alive = || count.load(Ordering::SeqCst);
    let watch = |connection: &mut SqliteConnection| {
        let guard = Alive::new(&count);
        attach(connection, Options::default(), move |_| {
            let _ = &guard;
        })
        .expect("attached");
    };
    let mut connection = SqliteConnection::establish(":memory:").expect("a connection");
    watch(&mut connection);
    watch(&mut connection);
    assert_eq!(alive(), 1);
    detach(&mut connection).expect("detached");
    assert_eq!(alive(), 0);
    watch(&mut connection);
    drop(connection);
    assert_eq!(alive(), 0);
}

#[test]
fn an_observer_that_panics_is_dropped_and_the_statement_succeeds() {
    let (mut connection, _) = measured(&people(10));
    let count = Arc::new(AtomicUsize::new(0));
    let guard = Alive::new(&count);
    attach(&mut connection, Options::default(), move |_| {
        let _ = &guard;
        panic!("on purpose");
    })
    .expect("attached");
    run(&mut connection, "UPDATE people SET age = 1").expect("run");
    assert_eq!(count.load(Ordering::SeqCst), 0);
    run(&mut connection, "UPDATE people SET age = 2").expect("run");
}

#[test]
fn an_observer_may_use_another_connection() {
    let (mut connection, _) = measured("CREATE TABLE t (a)");
    let (inner, inner_reports) = measured("CREATE TABLE log (text TEXT)");
    let mut inner = Some(inner);
    attach(&mut connection, Options::default(), move |finished| {
        let inner = inner.as_mut().expect("a connection");
        diesel::sql_query("INSERT INTO log VALUES (?)")
            .bind::<diesel::sql_types::Text, _>(finished.sql())
            .execute(inner)
            .expect("logged");
        // Opened and closed within a report.
        let mut third = SqliteConnection::establish(":memory:").expect("a connection");
        let reports = Reports::default();
        reports.attach(&mut third);
        third.batch_execute("SELECT 1").expect("run");
        assert_eq!(reports.take().len(), 1);
    })
    .expect("attached");
    run(&mut connection, "INSERT INTO t VALUES (1)").expect("run");
    run(&mut connection, "INSERT INTO t VALUES (2)").expect("run");
    assert_eq!(inner_reports.take().len(), 2);
}

#[test]
fn a_connection_that_does_not_know_the_meter_is_refused_with_the_remedy() {
    let (mut connection, _reports) = measured("");
    // Takes the function away, as a connection that was opened before `install` lacks it.
    diesel::define_sql_function! { fn sqlite_meter_locate() -> diesel::sql_types::Integer; }
    sqlite_meter_locate_utils::register_impl(&connection, || 7).expect("registered");
    // The observer of before went with the function, and SQLite reports no more to it.
    run(&mut connection, "SELECT 1").expect("run");
    assert!(matches!(
        attach(&mut connection, Options::default(), |_| {}),
        Err(AttachError::Foreign)
    ));
}

#[test]
fn a_connection_that_is_dropped_with_cached_statements_has_reported_each_of_them() {
    // Diesel finalizes its statements before it closes; module `closed` has statements that it does not know.
    sqlite_meter::install().expect("installed");
    for _ in 0..50 {
        let (mut connection, reports) = measured(&people(20));
        for age in 0..10 {
            run(
                &mut connection,
                &format!("SELECT count(*) FROM people WHERE age = {age}"),
            )
            .expect("run");
        }
        drop(connection);
        assert_eq!(reports.take().len(), 10);
    }
}
