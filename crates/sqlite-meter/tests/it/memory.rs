//! The bound on a thread's memory, in a process of its own: it has to be prepared before any connection is opened.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, RunQueryDsl as _, SqliteConnection};
use sqlite_meter::{MemoryBound, MemoryDeadline, bound_memory};
use test_support::alone;

const MIB: usize = 1 << 20;

/// A statement that takes so much memory, and gives it back.
fn take(connection: &mut SqliteConnection, bytes: usize) -> diesel::QueryResult<()> {
    let sql = format!("SELECT length(randomblob({bytes}))");
    diesel::sql_query(sql).execute(connection).map(drop)
}

fn open() -> SqliteConnection {
    SqliteConnection::establish(":memory:").expect("a connection")
}

#[test]
fn a_bound_holds_for_its_thread_and_as_long_as_it_lives() {
    alone("memory::bounded", &[]);
}

#[test]
fn a_statement_whose_time_is_over_while_it_is_prepared_gets_no_memory() {
    alone("memory::late_statements", &[]);
}

#[test]
fn a_bound_that_comes_too_late_is_told() {
    alone("memory::late", &[]);
}

#[test]
#[ignore = "it runs in a process of its own"]
fn bounded() {
    assert_eq!(bound_memory(), Ok(()));
    assert_eq!(bound_memory(), Ok(()));
    let mut connection = open();
    take(&mut connection, 32 * MIB).expect("nothing is bounded");

    let bound = MemoryBound::begin(16 * MIB);
    let error = take(&mut connection, 32 * MIB).expect_err("more than the bound");
    assert!(error.to_string().contains("out of memory"), "{error}");
    // Memory that was given back can be taken again, and the connection goes on.
    for _ in 0..10 {
        take(&mut connection, 8 * MIB).expect("within the bound");
    }

    let narrow = MemoryBound::begin(4 * MIB);
    take(&mut connection, 8 * MIB).expect_err("more than the inner bound");
    let mut kept = open();
    kept.batch_execute(
        "CREATE TABLE t(x); INSERT INTO t VALUES(randomblob(524288)); INSERT INTO t SELECT x FROM t",
    )
    .expect("within the inner bound");
    drop(narrow);
    // The memory that was taken within is counted without.
    take(&mut connection, 15 * MIB).expect_err("what the other connection keeps is taken");
    drop(kept);
    take(&mut connection, 15 * MIB).expect("it was given back");

    let wide = MemoryBound::begin(64 * MIB);
    take(&mut connection, 32 * MIB).expect_err("an inner bound cannot be wider");
    drop(wide);

    let other = std::thread::spawn(|| take(&mut open(), 32 * MIB));
    other
        .join()
        .expect("no panic")
        .expect("another thread has no bound");

    // A short text whose columns SQLite puts into each other: 16⁶ of them. Few levels, as parsers of earlier versions
    // takes no more.
    let sum = ["x"; 16].join(" + ");
    let mut sql = "SELECT x FROM (SELECT random() AS x FROM t LIMIT 1)".to_owned();
    for _ in 0..6 {
        sql = format!("SELECT {sum} AS x FROM ({sql})");
    }
    connection
        .batch_execute("CREATE TABLE t(x)")
        .expect("a table");
    let error = diesel::sql_query(sql)
        .execute(&mut connection)
        .expect_err("more than the bound");
    assert!(error.to_string().contains("out of memory"), "{error}");

    drop(bound);
    take(&mut connection, 32 * MIB).expect("nothing is bounded any more");
}

#[test]
#[ignore = "it runs in a process of its own"]
fn late() {
    let mut connection = open();
    let error = bound_memory().expect_err("a connection is open");
    assert!(error.to_string().contains("bound_memory()"), "{error}");
    let _bound = MemoryBound::begin(16 * MIB);
    take(&mut connection, 32 * MIB).expect("nothing is bounded");
}

#[test]
#[ignore = "it runs in a process of its own"]
fn late_statements() {
    assert_eq!(bound_memory(), Ok(()));
    let mut connection = open();
    let over = Instant::now();
    let far = over + Duration::from_secs(3_600);
    let sum = ["random()"; 60].join(" + ");
    let sql = format!("SELECT {sum}");
    let mut run = move || diesel::sql_query(&sql).execute(&mut connection).map(drop);

    let deadline = MemoryDeadline::begin(over);
    run().expect("without a bound of memory it has no effect");
    assert!(!deadline.is_over());
    drop(deadline);

    let bound = MemoryBound::begin(16 * MIB);
    let outer = MemoryDeadline::begin(far);
    run().expect("there is time left");
    let inner = MemoryDeadline::begin(over);
    let error = run().expect_err("its time is over");
    assert!(error.to_string().contains("out of memory"), "{error}");
    assert!(inner.is_over());
    // One within it cannot be later.
    let wide = MemoryDeadline::begin(far);
    run().expect_err("the time of the outer one is over");
    assert!(wide.is_over());
    drop(wide);
    drop(inner);
    run().expect("the connection can be used again");
    assert!(!outer.is_over());
    drop(outer);
    run().expect("there is no deadline");
    drop(bound);
}
