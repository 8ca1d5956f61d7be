//! Connections of another client: rusqlite.

use std::time::{Duration, Instant};

use rusqlite::Connection;
use sqlite_meter::{AttachError, Finished, Options, attach_by, install};

use crate::support::{Reports, people};

/// Has a connection report to somebody.
fn attach(connection: &Connection, options: Options, reports: &Reports) -> Result<(), AttachError> {
    let reports = reports.clone();
    attach_by(
        |sql| connection.execute_batch(sql),
        options,
        move |finished: &Finished<'_>| reports.add(finished.sql(), *finished.counters()),
    )
}

fn measured(made: &str) -> (Connection, Reports) {
    install().expect("installed");
    let connection = Connection::open_in_memory().expect("a connection");
    connection.execute_batch(made).expect("made");
    let reports = Reports::default();
    attach(&connection, Options::default(), &reports).expect("attached");
    (connection, reports)
}

#[test]
fn statements_of_rusqlite_are_counted_from_the_first_one_on_and_the_search_for_it_is_not() {
    let (connection, reports) = measured(&people(50));
    let count = |sql: &str| {
        let count = connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        count.expect("a count")
    };
    assert_eq!(count("SELECT count(*) FROM people WHERE age = 7"), 1);
    let [(sql, counters)] = &reports.take()[..] else {
        panic!("one report");
    };
    assert_eq!(sql, "SELECT count(*) FROM people WHERE age = 7");
    assert_eq!(counters.fullscan_steps, 49);
    assert_eq!(counters.rows_returned, Some(1));

    let mut statement = connection.prepare("SELECT name FROM people WHERE id <= ?");
    let statement = statement.as_mut().expect("a statement");
    let names = statement.query_map([3], |row| row.get::<_, String>(0));
    assert_eq!(names.expect("rows").count(), 3);
    assert_eq!(reports.one().rows_returned, Some(3));

    let changed = connection.execute("UPDATE people SET age = 8 WHERE id <= 20", []);
    assert_eq!(changed, Ok(20));
    assert_eq!(reports.one().rows_changed, Some(20));
}

#[test]
fn counts_are_those_of_a_connection_of_diesel() {
    let sql = "SELECT city, count(*) FROM people GROUP BY city ORDER BY 2";
    let (connection, reports) = measured(&people(500));
    let mut statement = connection.prepare(sql).expect("a statement");
    assert_eq!(
        statement.query_map([], |_| Ok(())).expect("rows").count(),
        9
    );
    let (mut diesel, others) = crate::support::measured(&people(500));
    crate::support::run(&mut diesel, sql).expect("runs");
    let (own, other) = (reports.one(), others.one());
    assert_eq!(
        (own.steps, own.fullscan_steps, own.sorts),
        (other.steps, other.fullscan_steps, other.sorts)
    );
    assert!(own.sorts > 0);
}

#[test]
fn a_statement_is_timed_from_its_begin_to_the_end_of_its_rows() {
    install().expect("installed");
    let connection = Connection::open_in_memory().expect("a connection");
    connection.execute_batch(&people(2)).expect("made");
    connection
        .execute_batch(
            "CREATE TABLE log (name TEXT); CREATE TRIGGER written AFTER UPDATE ON people
             BEGIN INSERT INTO log VALUES (new.name); END",
        )
        .expect("a trigger");
    let (tell, told) = std::sync::mpsc::channel();
    let options = Options::default().time(true);
    let attached = attach_by(
        |sql| connection.execute_batch(sql),
        options,
        move |finished| tell.send(finished.duration()).expect("somebody waits"),
    );
    attached.expect("attached");
    let pause = Duration::from_millis(20);
    let begun = Instant::now();
    let mut statement = connection.prepare("SELECT id FROM people").expect("it is");
    let mut rows = statement.query([]).expect("rows");
    while rows.next().expect("a row").is_some() {
        let until = Instant::now() + pause;
        while Instant::now() < until {
            std::hint::spin_loop();
        }
    }
    let took = told.recv().expect("a report").expect("it is timed");
    assert!(took >= 2 * pause && took <= begun.elapsed(), "{took:?}");
    let begun = Instant::now();
    connection
        .execute("UPDATE people SET age = 1", [])
        .expect("runs");
    let took = told.recv().expect("a report").expect("it is timed");
    assert!(
        took <= begun.elapsed(),
        "the trigger begins within: {took:?}"
    );
    assert!(told.try_recv().is_err(), "the trigger has no report");
}

#[test]
fn connections_that_do_not_come_are_told_and_leave_nothing_behind() {
    let (connection, reports) = measured("CREATE TABLE a (b)");
    let by = |run: &dyn Fn(&str) -> rusqlite::Result<()>| {
        let mine = Reports::default();
        let own = mine.clone();
        let attached = attach_by(run, Options::default(), move |finished: &Finished<'_>| {
            own.add(finished.sql(), *finished.counters());
        });
        (attached, mine)
    };
    let (idle, none) = by(&|_| Ok(()));
    assert!(matches!(idle, Err(AttachError::Elsewhere)), "{idle:?}");
    let (failed, _) = by(&|_| Err(rusqlite::Error::InvalidQuery));
    assert!(matches!(failed, Err(AttachError::NotRun(_))), "{failed:?}");
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| by(&|_| panic!("no"))));
    assert!(panicked.is_err());
    // Nobody waits any more: the function runs, and the first observer stays.
    connection
        .execute_batch("SELECT sqlite_meter_locate()")
        .expect("it runs");
    connection
        .execute_batch("INSERT INTO a VALUES (1)")
        .expect("it runs");
    assert_eq!(reports.take().len(), 2);
    assert_eq!(none.take().len(), 0);

    // On another thread nobody waits either.
    let elsewhere = by(&|sql| {
        std::thread::scope(|scope| {
            let other = scope.spawn(|| Connection::open_in_memory()?.execute_batch(sql));
            other.join().expect("it runs")
        })
    });
    assert!(matches!(elsewhere.0, Err(AttachError::Elsewhere)));
}

#[test]
fn an_observer_that_is_replaced_goes_and_one_whose_drop_panics_does_no_harm() {
    struct Loud;
    impl Drop for Loud {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }
    install().expect("installed");
    let connection = Connection::open_in_memory().expect("a connection");
    let loud = Loud;
    let attached = attach_by(
        |sql| connection.execute_batch(sql),
        Options::default(),
        move |_: &Finished<'_>| {
            let _ = &loud;
        },
    );
    attached.expect("attached");
    let reports = Reports::default();
    // SQLite does not see the panic.
    attach(&connection, Options::default(), &reports).expect("attached");
    connection
        .execute_batch("CREATE TABLE a (b)")
        .expect("it runs");
    assert_eq!(reports.take().len(), 1);
}

#[test]
fn a_connection_that_is_closed_at_once_leaves_no_trace() {
    install().expect("installed");
    let reports = Reports::default();
    let own = reports.clone();
    let attached = attach_by(
        |sql| Connection::open_in_memory()?.execute_batch(sql),
        Options::default(),
        move |finished: &Finished<'_>| own.add(finished.sql(), *finished.counters()),
    );
    attached.expect("it was there while the SQL ran");
    assert_eq!(reports.take().len(), 0);
}
