//! The counts of statements of each kind.

use diesel::connection::{Connection as _, SimpleConnection as _};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};

use crate::support::{Reports, measured, people, run};

#[derive(QueryableByName)]
struct Group {
    #[diesel(sql_type = BigInt)]
    n: i64,
    #[diesel(sql_type = Text)]
    city: String,
}

/// Full scan, sorts, rows of automatic indexes, rows returned, rows changed.
type Exact = (u64, u64, u64, u64, Option<u64>);

#[test]
fn the_same_statement_gives_the_same_numbers_on_any_size() {
    for rows in [10_u64, 1_000, 20_000] {
        let (mut connection, reports) = measured(&people(u32::try_from(rows).expect("few")));
        let nines = (1..=rows).filter(|i| i % 90 == 9).count() as u64;
        let table: [(&str, Exact); 12] = [
            (
                "SELECT count(*) FROM people WHERE age = 9",
                (rows - 1, 0, 0, 1, None),
            ),
            ("SELECT name FROM people WHERE id = 3", (0, 0, 0, 1, None)),
            ("SELECT name FROM people WHERE id = -3", (0, 0, 0, 0, None)),
            (
                "SELECT name FROM people WHERE age = 9",
                (rows - 1, 0, 0, nines, None),
            ),
            (
                "SELECT name FROM people ORDER BY name LIMIT 5",
                (rows - 1, 1, 0, 5, None),
            ),
            (
                "SELECT count(*), city FROM people GROUP BY city",
                (rows - 1, 1, 0, 9, None),
            ),
            ("SELECT name FROM people LIMIT 4", (3, 0, 0, 4, None)),
            (
                "INSERT INTO people (name, age, city) VALUES ('x', 200, 'y')",
                (0, 0, 0, 0, Some(1)),
            ),
            (
                "UPDATE people SET city = 'z' WHERE age = 200",
                (rows, 0, 0, 0, Some(1)),
            ),
            (
                "UPDATE people SET city = 'z' WHERE age = 201",
                (rows, 0, 0, 0, Some(0)),
            ),
            (
                "DELETE FROM people WHERE age = 200",
                (rows, 0, 0, 0, Some(1)),
            ),
            ("SELECT 1", (0, 0, 0, 1, None)),
        ];
        for (sql, expected) in table {
            run(&mut connection, sql).expect(sql);
            let first = reports.one();
            assert_eq!(
                (
                    first.fullscan_steps,
                    first.sorts,
                    first.autoindex_steps,
                    first.rows_returned.expect("counted"),
                    first.rows_changed
                ),
                expected,
                "{sql} on {rows} rows"
            );
            assert!(first.steps > 0, "{sql}");
            if first.rows_changed.is_none() {
                run(&mut connection, sql).expect(sql);
                assert_eq!(reports.one().steps, first.steps, "{sql} again");
            }
        }
    }
}

#[test]
fn a_join_without_an_index_makes_one_for_itself() {
    let (mut connection, reports) =
        measured(&(people(300) + "CREATE TABLE visit (name TEXT, at INTEGER)"));
    connection
        .batch_execute("INSERT INTO visit SELECT name, id FROM people")
        .expect("rows");
    reports.take();
    run(
        &mut connection,
        "SELECT count(*) FROM people p JOIN visit v ON v.name = p.name",
    )
    .expect("a join");
    // SQLite counts steps from one row to the next, here as in full scans.
    assert_eq!(reports.one().autoindex_steps, 299);
}

#[test]
fn steps_grow_with_the_rows_that_are_scanned_and_not_with_those_that_are_found() {
    let steps = |rows, sql| {
        let (mut connection, reports) = measured(&people(rows));
        run(&mut connection, sql).expect(sql);
        reports.one().steps
    };
    let scan = "SELECT count(*) FROM people WHERE age = 9";
    let key = "SELECT name FROM people WHERE id = 3";
    let ratio = steps(10_000, scan) as f64 / steps(1_000, scan) as f64;
    assert!((9.5..10.5).contains(&ratio), "{ratio}");
    assert_eq!(steps(10_000, key), steps(1_000, key));
}

#[test]
fn a_cached_statement_is_counted_for_each_run_and_knows_its_text() {
    let (mut connection, _) = measured(&people(100));
    let (reports, keys) = (
        Reports::default(),
        std::sync::Arc::new(std::sync::Mutex::new(Vec::new())),
    );
    let seen = std::sync::Arc::clone(&keys);
    sqlite_meter::attach(
        &mut connection,
        sqlite_meter::Options::default(),
        move |finished| {
            seen.lock().expect("whole").push((
                finished.key(),
                finished.sql().into_owned(),
                *finished.counters(),
            ));
        },
    )
    .expect("attached");
    drop(reports);
    diesel::table! { people { id -> Integer, name -> Text, age -> Integer, city -> Text, } }
    for age in 0..5 {
        let found: Vec<i32> = people::table
            .filter(people::age.eq(age))
            .select(people::id)
            .load(&mut connection)
            .expect("rows");
        assert!(!found.is_empty());
    }
    let keys = keys.lock().expect("whole");
    assert_eq!(keys.len(), 5);
    assert!(keys.iter().all(|(key, sql, counters)| {
        (key, sql, counters.steps.abs_diff(keys[0].2.steps) < 10) == (&keys[0].0, &keys[0].1, true)
    }));
    assert!(
        keys[0].1.contains("`people`.`age` = ?") && !keys[0].1.contains("binds"),
        "{}",
        keys[0].1
    );
}

#[test]
fn what_ran_before_is_nobodys() {
    sqlite_meter::install().expect("installed");
    let mut connection = SqliteConnection::establish(":memory:").expect("a connection");
    connection.batch_execute(&people(1_000)).expect("made");
    let query = || {
        diesel::sql_query("SELECT count(*) AS n, city FROM people WHERE age > ? GROUP BY city")
            .bind::<Integer, _>(0)
    };
    for _ in 0..10 {
        let groups: Vec<Group> = query().load(&mut connection).expect("groups");
        assert!(
            groups
                .iter()
                .all(|group| group.n > 0 && group.city.starts_with("city"))
        );
    }
    let reports = Reports::default();
    reports.attach(&mut connection);
    let _: Vec<Group> = query().load(&mut connection).expect("groups");
    assert_eq!(reports.one().fullscan_steps, 999);
}

#[test]
fn failures_and_rows_that_are_not_read_to_the_end_are_counted_as_far_as_they_went() {
    let (mut connection, reports) =
        measured(&(people(1_000) + "CREATE UNIQUE INDEX name ON people (name)"));
    let twice = "INSERT INTO people (name, age, city) VALUES ('name1', 1, 'x')";
    assert!(run(&mut connection, twice).is_err());
    let failed = reports.one();
    assert!(failed.steps > 0);
    {
        let mut rows = diesel::sql_query("SELECT count(*) AS n, city FROM people GROUP BY name")
            .load_iter::<Group, diesel::connection::DefaultLoadingMode>(&mut connection)
            .expect("rows");
        assert!(rows.next().is_some());
    }
    let partial = reports.one();
    assert_eq!(partial.rows_returned, Some(1));
    // A statement that was never prepared is not reported.
    assert!(run(&mut connection, "SELECT nothing FROM nowhere").is_err());
    assert!(reports.take().is_empty());
}

#[test]
fn pages_are_those_of_the_statement() {
    sqlite_meter::install().expect("installed");
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("people.db");
    let path = path.to_str().expect("text");
    let mut connection = SqliteConnection::establish(path).expect("a connection");
    connection.batch_execute(&people(20_000)).expect("made");
    drop(connection);
    let mut connection = SqliteConnection::establish(path).expect("a connection");
    let reports = Reports::default();
    reports.attach(&mut connection);
    let count = "SELECT count(*) FROM people WHERE age = 9";
    run(&mut connection, count).expect("a scan");
    let cold = reports.one();
    assert!(cold.pages_read.is_some_and(|pages| pages > 100), "{cold:?}");
    assert_eq!(cold.pages_written, Some(0));
    run(&mut connection, "SELECT name FROM people WHERE id = 3").expect("a row");
    assert!(reports.one().pages_read.is_some_and(|pages| pages < 10));
    run(&mut connection, "UPDATE people SET city = 'x'").expect("an update");
    let update = reports.one();
    assert!(
        update.pages_written.is_some_and(|pages| pages > 100),
        "{update:?}"
    );
}

#[test]
fn several_statements_at_once_are_reported_one_by_one() {
    let (mut connection, reports) = measured("CREATE TABLE t (a)");
    connection
        .batch_execute("INSERT INTO t VALUES (1); INSERT INTO t VALUES (2); SELECT * FROM t")
        .expect("run");
    let reports = reports.take();
    let rows: Vec<_> = reports
        .iter()
        .map(|(_, counters)| (counters.rows_changed, counters.rows_returned))
        .collect();
    assert_eq!(
        rows,
        [(Some(1), Some(0)), (Some(1), Some(0)), (None, Some(2))]
    );
    assert_eq!(reports[1].0, "INSERT INTO t VALUES (2);");
}

#[test]
fn what_a_statement_that_is_given_up_writes_at_its_end_is_not_counted_for_the_next_one() {
    #[derive(QueryableByName)]
    struct Id {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    sqlite_meter::install().expect("installed");
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("people.db");
    let mut connection =
        SqliteConnection::establish(path.to_str().expect("text")).expect("a connection");
    connection.batch_execute(&people(10)).expect("made");
    let reports = Reports::default();
    reports.attach(&mut connection);
    run(&mut connection, "UPDATE people SET age = 7").expect("an update");
    assert_eq!(reports.one().rows_changed, Some(10));
    for id in [11, 12] {
        let added: Id = diesel::sql_query(
            "INSERT INTO people (name, age, city) VALUES ('x', 1, 'y') RETURNING id",
        )
        .get_result(&mut connection)
        .expect("an id");
        assert_eq!(added.id, id);
        let insert = reports.one();
        assert_eq!((insert.rows_changed, insert.rows_returned), (None, Some(1)));
        for _ in 0..2 {
            run(&mut connection, "SELECT name FROM people WHERE id = 3").expect("a row");
            assert_eq!(reports.one().pages_written, Some(0));
        }
        run(&mut connection, "UPDATE people SET age = 7").expect("an update");
        assert!(reports.one().pages_written > Some(0));
    }
}
