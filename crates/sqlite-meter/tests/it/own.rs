//! Observers that use the connection which reports to them, as one of rusqlite can be.

use std::cell::OnceCell;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use libsqlite3_sys as ffi;
use rusqlite::Connection;
use sqlite_meter::{AttachError, Finished, Options, attach_by, install};

use crate::support::{Reports, people};

thread_local! {
    static CONNECTION: OnceCell<Connection> = const { OnceCell::new() };
}

/// Runs a test on a thread of its own, which has a connection of its own.
fn alone(test: impl FnOnce() + Send + 'static) {
    std::thread::spawn(test).join().expect("no panic");
}

/// Uses this thread's connection.
fn with<T>(work: impl FnOnce(&Connection) -> T) -> T {
    CONNECTION.with(|connection| {
        work(connection.get_or_init(|| {
            install().expect("installed");
            let connection = Connection::open_in_memory().expect("a connection");
            connection.execute_batch(&people(50)).expect("made");
            connection
        }))
    })
}

fn attach(observer: impl FnMut(&Finished<'_>) + Send + 'static) -> Result<(), AttachError> {
    with(|connection| {
        let run = |sql: &str| connection.execute_batch(sql);
        attach_by(run, Options::default(), observer)
    })
}

fn run(sql: &str) {
    with(|connection| connection.execute_batch(sql)).expect("runs");
}

/// Reads all rows of a query, of which `run` reads one.
fn rows(sql: &str) -> usize {
    with(|connection| {
        let mut statement = connection.prepare(sql).expect("a statement");
        statement.query_map([], |_| Ok(())).expect("rows").count()
    })
}

fn count() -> i64 {
    let sql = "SELECT count(*) FROM people WHERE age >= 0";
    with(|connection| connection.query_row(sql, [], |row| row.get(0))).expect("a count")
}

#[test]
fn an_observer_is_not_called_for_its_own_statements_and_no_count_of_them_is_another_s() {
    alone(|| {
        let reports = Reports::default();
        let own = reports.clone();
        attach(move |finished| {
            assert_eq!(count(), 50);
            own.add(finished.sql(), *finished.counters());
        })
        .expect("attached");
        for _ in 0..2 {
            assert_eq!(rows("SELECT name FROM people WHERE id <= 3"), 3);
            run("UPDATE people SET city = 'x' WHERE id = 7");
            let [read, written] = &reports.take()[..] else {
                panic!("two reports");
            };
            assert_eq!(read.0, "SELECT name FROM people WHERE id <= 3");
            assert_eq!(read.1.rows_returned, Some(3));
            assert_eq!(read.1.fullscan_steps, 0);
            assert_eq!(written.1.rows_changed, Some(1));
            assert_eq!(written.1.rows_returned, Some(0));
        }
        // The statement that the observer runs is reported to nobody, but does count.
        attach(|_| {}).expect("attached");
        assert_eq!(count(), 50);
    });
}

#[test]
fn pages_that_a_statement_writes_behind_its_report_are_not_those_of_the_next_one() {
    alone(|| {
        let dir = tempfile::tempdir().expect("a folder");
        install().expect("installed");
        CONNECTION.with(|connection| {
            let file = Connection::open(dir.path().join("people.db")).expect("a connection");
            file.execute_batch(&people(50)).expect("made");
            assert!(connection.set(file).is_ok());
        });
        let reports = Reports::default();
        let own = reports.clone();
        attach(move |finished| {
            assert!(count() >= 50);
            own.add(finished.sql(), *finished.counters());
        })
        .expect("attached");
        // Its row is read, and the statement is given up: SQLite reports it, and then completes and commits it.
        let sql = "INSERT INTO people (name, age, city) VALUES ('a', 1, 'b') RETURNING id";
        let id: i64 = with(|it| it.query_row(sql, [], |row| row.get(0))).expect("a row");
        assert_eq!(id, 51);
        run("SELECT 1");
        let seen = reports.take();
        let [inserted, next] = &seen[..] else {
            panic!("two reports: {seen:?}");
        };
        assert_eq!(inserted.0, sql);
        assert_eq!(next.1.pages_written, Some(0));
    });
}

#[test]
fn an_observer_cannot_be_replaced_while_it_is_called_and_goes_on() {
    alone(|| {
        let reports = Reports::default();
        let own = reports.clone();
        attach(move |finished| {
            let refused = attach(|_| panic!("on purpose"));
            assert!(
                matches!(refused, Err(AttachError::Reporting)),
                "{refused:?}"
            );
            own.add(finished.sql(), *finished.counters());
        })
        .expect("attached");
        for sql in ["SELECT name FROM people WHERE id <= 3", "SELECT 2"] {
            run(sql);
            let [(text, counters)] = &reports.take()[..] else {
                panic!("one report");
            };
            assert_eq!(text, sql);
            assert!(counters.rows_returned > Some(0), "{counters:?}");
            assert!(counters.pages_written.is_some());
        }
    });
}

/// Counts how many of it are alive.
struct Alive(Arc<AtomicUsize>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn an_observer_that_has_the_meter_s_function_taken_away_lives_until_it_returns() {
    alone(|| {
        let count = Arc::new(AtomicUsize::new(1));
        let (alive, calls) = (Alive(Arc::clone(&count)), Arc::new(AtomicUsize::new(0)));
        let called = Arc::clone(&calls);
        attach(move |_| {
            with(|connection| {
                // SAFETY: the handle is that of a connection that lives, and is used on this thread only.
                let db = unsafe { connection.handle() };
                let name = c"sqlite_meter_locate".as_ptr();
                // SAFETY: as above; the name ends with a NUL. Without functions the one of that name goes.
                let code = unsafe {
                    ffi::sqlite3_create_function_v2(
                        db,
                        name,
                        0,
                        ffi::SQLITE_UTF8,
                        ptr::null_mut(),
                        None,
                        None,
                        None,
                        None,
                    )
                };
                assert_eq!(code, ffi::SQLITE_OK);
            });
            assert_eq!(alive.0.load(Ordering::SeqCst), 1, "it is being called");
            // A panic would reach nobody.
            called.fetch_add(1, Ordering::SeqCst);
        })
        .expect("attached");
        // It has ended when it is reported: SQLite keeps functions while a statement runs.
        run("UPDATE people SET age = 1 WHERE id = 1");
        assert_eq!(count.load(Ordering::SeqCst), 0, "it went when it returned");
        run("SELECT 2");
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        assert!(matches!(attach(|_| {}), Err(AttachError::NotRun(_))));
    });
}
