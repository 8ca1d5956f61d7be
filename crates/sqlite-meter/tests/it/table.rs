//! A table of statements on tables of several sizes: what is counted is exact, on one thread and on eight. Two counts
//! depend on the version of SQLite, and are exact for the one that the workspace ships.

use std::thread;

use diesel::connection::{Connection as _, SimpleConnection as _};
use diesel::sql_types::Text;
use diesel::{RunQueryDsl as _, SqliteConnection};
use sqlite_meter::Counters;

use crate::support::{Reports, measured, people, run};

/// Rows of each table.
const SIZES: [u64; 3] = [100, 1_000, 5_000];

/// A count, of a number of rows.
type Of = fn(u64) -> u64;

const NONE: Of = |_| 0;
/// A scan of a table: the first row is no step.
const ALL: Of = |rows| rows - 1;
/// Scans of two tables.
const TWICE: Of = |rows| 2 * (rows - 1);
/// The rows whose city is `city3`.
const CITY_THREE: Of = |rows| (1..=rows).filter(|row| row % 9 == 3).count() as u64;
/// The rows whose age is nine.
const NINES: Of = |rows| (1..=rows).filter(|row| row % 90 == 9).count() as u64;

/// Statements that read: steps of full scans, sorts, rows returned.
const READS: [(&str, Of, u64, Of); 47] = [
    ("SELECT * FROM people", ALL, 0, |n| n),
    ("SELECT name FROM people WHERE id = 50", NONE, 0, |_| 1),
    (
        "SELECT name FROM people WHERE id IN (1, 50, 99)",
        NONE,
        0,
        |_| 3,
    ),
    (
        "SELECT name FROM people WHERE id > 90 AND id <= 95",
        NONE,
        0,
        |_| 5,
    ),
    ("SELECT name FROM people WHERE rowid = 7", NONE, 0, |_| 1),
    (
        "SELECT name FROM people WHERE city = 'city3'",
        ALL,
        0,
        CITY_THREE,
    ),
    ("SELECT name FROM people WHERE age > 1000", ALL, 0, NONE),
    (
        "SELECT name FROM people WHERE id = 3 OR id = 4",
        NONE,
        0,
        |_| 2,
    ),
    ("SELECT count(*) FROM people", NONE, 0, |_| 1),
    (
        "SELECT count(*) FROM people WHERE city = 'city3'",
        ALL,
        0,
        |_| 1,
    ),
    ("SELECT max(id) FROM people", NONE, 0, |_| 1),
    ("SELECT min(age) FROM people", ALL, 0, |_| 1),
    ("SELECT avg(age) FROM people", ALL, 0, |_| 1),
    ("SELECT DISTINCT city FROM people", ALL, 0, |_| 9),
    (
        "SELECT city, avg(age) FROM people GROUP BY city",
        ALL,
        1,
        |_| 9,
    ),
    (
        "SELECT city, count(*) FROM people GROUP BY city HAVING count(*) > 1000000",
        ALL,
        1,
        NONE,
    ),
    (
        "SELECT city, count(*) AS n FROM people GROUP BY city ORDER BY n DESC",
        ALL,
        2,
        |_| 9,
    ),
    ("SELECT name FROM people ORDER BY id", ALL, 0, |n| n),
    (
        "SELECT name FROM people ORDER BY id DESC LIMIT 3",
        |_| 2,
        0,
        |_| 3,
    ),
    ("SELECT name FROM people ORDER BY age, name", ALL, 1, |n| n),
    (
        "SELECT name FROM people ORDER BY age LIMIT 10",
        ALL,
        1,
        |_| 10,
    ),
    (
        "SELECT name FROM people LIMIT 10 OFFSET 5",
        |_| 14,
        0,
        |_| 10,
    ),
    (
        "SELECT name FROM people WHERE age = 9 LIMIT 1",
        |_| 8,
        0,
        |_| 1,
    ),
    (
        "SELECT EXISTS (SELECT 1 FROM people WHERE age = 89)",
        |_| 88,
        0,
        |_| 1,
    ),
    (
        "SELECT name FROM people WHERE id = (SELECT max(person) FROM visit)",
        NONE,
        0,
        |_| 1,
    ),
    (
        "SELECT p.name FROM people p JOIN visit v ON v.person = p.id WHERE v.person = 5",
        NONE,
        0,
        |_| 1,
    ),
    (
        "SELECT count(*) FROM people p JOIN visit v ON v.person = p.id",
        ALL,
        0,
        |_| 1,
    ),
    (
        "SELECT count(*) FROM visit v JOIN people p ON p.id = v.at",
        ALL,
        0,
        |_| 1,
    ),
    (
        "SELECT count(*) FROM people p LEFT JOIN visit v ON v.person = p.id AND v.at < 100",
        ALL,
        0,
        |_| 1,
    ),
    (
        "SELECT count(*) FROM people p WHERE EXISTS (SELECT 1 FROM visit v WHERE v.person = p.id)",
        ALL,
        0,
        |_| 1,
    ),
    (
        "SELECT count(*) FROM people WHERE id NOT IN (SELECT person FROM visit)",
        ALL,
        0,
        |_| 1,
    ),
    (
        "SELECT count(*) FROM people p JOIN tag t ON t.name = p.name",
        ALL,
        0,
        |_| 1,
    ),
    ("SELECT n FROM tag WHERE name = 'name7'", NONE, 0, |_| 1),
    ("SELECT count(*) FROM tag WHERE n = 9", ALL, 0, |_| 1),
    ("SELECT name FROM tag ORDER BY name", ALL, 0, |n| n),
    ("SELECT name FROM tag ORDER BY n", ALL, 1, |n| n),
    (
        "SELECT name FROM people UNION ALL SELECT name FROM tag",
        TWICE,
        0,
        |n| 2 * n,
    ),
    (
        "SELECT name FROM people UNION SELECT name FROM tag",
        TWICE,
        1,
        |n| n,
    ),
    (
        "SELECT name FROM people EXCEPT SELECT name FROM tag",
        TWICE,
        1,
        NONE,
    ),
    (
        "SELECT id FROM people INTERSECT SELECT person FROM visit",
        TWICE,
        0,
        |n| n,
    ),
    (
        "SELECT person FROM visit WHERE person BETWEEN 10 AND 19",
        NONE,
        0,
        |_| 10,
    ),
    (
        "SELECT at FROM visit WHERE person BETWEEN 10 AND 19",
        NONE,
        0,
        |_| 10,
    ),
    ("SELECT person FROM visit WHERE at = 50", ALL, 0, |_| 1),
    (
        "SELECT name, row_number() OVER (ORDER BY age) FROM people",
        ALL,
        1,
        |n| n,
    ),
    (
        "WITH old AS (SELECT * FROM people WHERE age > 80) SELECT count(*) FROM old",
        ALL,
        0,
        |_| 1,
    ),
    (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20) SELECT i FROM n",
        NONE,
        0,
        |_| 20,
    ),
    ("VALUES (1), (2)", NONE, 0, |_| 2),
];

/// Statements that write: steps of full scans, rows changed.
const WRITES: [(&str, Of, Of); 10] = [
    ("INSERT INTO visit SELECT id, age FROM people", ALL, |n| n),
    ("INSERT OR IGNORE INTO tag VALUES ('name7', 1)", NONE, NONE),
    (
        "INSERT INTO tag VALUES ('name7', 1) ON CONFLICT DO UPDATE SET n = n + 1",
        NONE,
        |_| 1,
    ),
    ("UPDATE people SET age = age + 1", ALL, |n| n),
    ("UPDATE people SET age = 1 WHERE id = 3", NONE, |_| 1),
    ("UPDATE tag SET n = 0 WHERE n = 9", ALL, NINES),
    ("DELETE FROM visit WHERE person = 3", NONE, |_| 1),
    ("DELETE FROM visit", NONE, |n| n),
    ("DELETE FROM people WHERE city = 'city3'", ALL, CITY_THREE),
    ("REPLACE INTO tag VALUES ('name7', 1)", NONE, |_| 1),
];

fn tables(rows: u64) -> String {
    let people = people(u32::try_from(rows).expect("few"));
    format!(
        "{people}
         CREATE TABLE visit (person INTEGER NOT NULL, at INTEGER NOT NULL);
         INSERT INTO visit SELECT id, id * 10 FROM people;
         CREATE INDEX visit_person ON visit (person);
         CREATE TABLE tag (name TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID;
         INSERT INTO tag SELECT name, age FROM people;"
    )
}

/// Statements whose sorts depend on the version of SQLite: one merges two sorted lists, another fills a table.
fn sorts_in_some_versions(sql: &str) -> bool {
    sql.contains(" UNION SELECT name FROM tag") || sql.contains(" EXCEPT ")
}

/// Whether this is the SQLite that the workspace ships, and not the system's.
pub(super) fn is_bundled(connection: &mut SqliteConnection) -> bool {
    let version = diesel::dsl::sql::<Text>("SELECT sqlite_version()");
    let version: String = version.get_result(connection).expect("a version");
    libsqlite3_sys::SQLITE_VERSION.to_str() == Ok(version.as_str())
}

/// The counts of all statements that read.
fn reads(connection: &mut SqliteConnection, reports: &Reports) -> Vec<Counters> {
    READS
        .iter()
        .map(|(sql, ..)| {
            run(connection, sql).expect(sql);
            reports.one()
        })
        .collect()
}

#[test]
fn statements_that_read_are_counted_exactly_and_alike_each_time() {
    for rows in SIZES {
        let (mut connection, reports) = measured(&tables(rows));
        let bundled = is_bundled(&mut connection);
        reports.take();
        let found = reads(&mut connection, &reports);
        let mut wrong = Vec::new();
        for ((sql, scanned, sorts, returned), counters) in READS.iter().zip(&found) {
            let counted = (
                counters.fullscan_steps,
                counters.sorts,
                counters.autoindex_steps,
                counters.rows_returned,
                counters.rows_changed,
            );
            let sorts = if !bundled && sorts_in_some_versions(sql) {
                counters.sorts
            } else {
                *sorts
            };
            if counted != (scanned(rows), sorts, 0, Some(returned(rows)), None) {
                wrong.push((sql, counted));
            }
            assert!(counters.steps > 0, "{sql}");
        }
        assert!(wrong.is_empty(), "on {rows} rows: {wrong:#?}");
        assert_eq!(reads(&mut connection, &reports), found);
    }
}

#[test]
fn statements_that_write_are_counted_exactly() {
    for rows in SIZES {
        for (sql, scanned, changed) in WRITES {
            let (mut connection, reports) = measured(&tables(rows));
            run(&mut connection, sql).expect(sql);
            let counters = reports.one();
            assert_eq!(
                (
                    counters.fullscan_steps,
                    counters.sorts,
                    counters.rows_changed
                ),
                (scanned(rows), 0, Some(changed(rows))),
                "{sql} on {rows} rows"
            );
        }
    }
}

#[test]
fn eight_threads_that_run_the_statements_at_once_count_what_one_counts() {
    const ROWS: u64 = 2_000;
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("people.db");
    let file = file.to_str().expect("a UTF-8 path");
    let open = || SqliteConnection::establish(file).expect("a connection");
    let made = format!("PRAGMA journal_mode = WAL; {}", tables(ROWS));
    open().batch_execute(&made).expect("made");
    let counted = || -> Vec<Counters> {
        let mut connection = open();
        // The schema is read with the first statement. Whoever opens the file first makes the others wait for its log.
        connection
            .batch_execute("PRAGMA busy_timeout = 60000; SELECT 1 FROM people")
            .expect("read");
        let reports = Reports::default();
        reports.attach(&mut connection);
        let mut found = reads(&mut connection, &reports);
        // Pages depend on the connection's cache.
        for counters in &mut found {
            counters.pages_read = None;
            counters.pages_written = None;
        }
        found
    };
    sqlite_meter::install().expect("installed");
    let alone = counted();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(counted)).collect();
        for thread in threads {
            assert_eq!(thread.join().expect("no panic"), alone);
        }
    });
}
