//! The time of preparing, in a process of its own: memory has to be bounded before any connection is opened.

use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};
use sql_advisor::prepare_until;
use sqlite_meter::{MemoryBound, bound_memory};

#[test]
fn what_sqlite_prepares_for_seconds_without_a_look_at_the_clock_is_ended() {
    test_support::alone("prepare::ended", &[]);
}

/// Tables that each join the one before so many times.
fn joins(times: usize) -> String {
    let mut sql = "WITH c0(x) AS (SELECT 1 UNION ALL SELECT 2)".to_owned();
    for level in 1..4 {
        let last = level - 1;
        let joined: Vec<_> = (0..times).map(|at| format!("c{last} a{at}")).collect();
        sql.push_str(&format!(
            ", c{level}(x) AS (SELECT 1 FROM {})",
            joined.join(", ")
        ));
    }
    sql + " SELECT count(*) FROM c3"
}

#[test]
#[ignore = "it runs in a process of its own"]
fn ended() {
    bound_memory().expect("no connection was opened");
    let conn = Connection::open_in_memory().expect("a connection");
    let _bound = MemoryBound::begin(4 << 30);
    let now = Instant::now();
    let later = now + Duration::from_secs(3_600);

    let small = joins(2);
    prepare_until(&conn, &small, later).expect("there is time");
    let error = prepare_until(&conn, &joins(50), now).expect_err("its time is over");
    assert_eq!(
        error.sqlite_error_code(),
        Some(ErrorCode::OperationInterrupted),
        "{error}"
    );
    // Without a bound of its own it goes on for seconds, until the outer one ends it.
    let error = prepare_until(&conn, &joins(50), later).expect_err("it takes too much memory");
    assert_eq!(
        error.sqlite_error_code(),
        Some(ErrorCode::OutOfMemory),
        "{error}"
    );
    let error = prepare_until(&conn, "SELECT * FROM nowhere", later).expect_err("no such table");
    assert!(error.to_string().contains("no such table"), "{error}");
    let rows: i64 = prepare_until(&conn, &small, later)
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
        .expect("the connection can be used again");
    assert_eq!(rows, 256);
}
