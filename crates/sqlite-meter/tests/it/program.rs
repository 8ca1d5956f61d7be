//! The tables and indexes that statements read row by row.

use std::sync::{Arc, Mutex, PoisonError};

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use sqlite_meter::{Extent, Options, Scan, attach, install};

use crate::support::people;

/// A connection to some tables, and a place for what the observer finds out about each statement.
fn asked<T: Send + 'static>(
    ask: impl Fn(&sqlite_meter::Finished<'_>) -> T + Send + 'static,
) -> (SqliteConnection, impl Fn() -> Vec<(String, T)>) {
    install().expect("installed");
    let mut connection = SqliteConnection::establish(":memory:").expect("a connection");
    let made = people(100)
        + "CREATE INDEX people_city ON people (city);
           CREATE TABLE orders (id INTEGER PRIMARY KEY, person INT, total INT);
           INSERT INTO orders (person, total) SELECT id, age FROM people;
           CREATE TABLE word (text TEXT PRIMARY KEY, uses INT) WITHOUT ROWID;
           INSERT INTO word SELECT name, age FROM people;
           CREATE VIEW adult AS SELECT id, name FROM people WHERE age >= 18;";
    connection.batch_execute(&made).expect("made");
    let found = Arc::new(Mutex::new(Vec::new()));
    let own = Arc::clone(&found);
    attach(&mut connection, Options::default(), move |finished| {
        let answer = ask(finished);
        let mut own = own.lock().unwrap_or_else(PoisonError::into_inner);
        own.push((finished.sql().into_owned(), answer));
    })
    .expect("attached");
    let take = move || std::mem::take(&mut *found.lock().unwrap_or_else(PoisonError::into_inner));
    (connection, take)
}

/// A scan in a few letters: `people all filtered`.
fn short(scan: &Scan) -> String {
    let mut text = match &scan.index {
        None => scan.table.clone(),
        Some(index) => format!("{}.{index}", scan.table),
    };
    text.push_str(match scan.extent {
        Extent::All => " all",
        Extent::UntilEnough => " until",
        Extent::AsAskedFor => " asked",
        _ => " ?",
    });
    for (is, word) in [(scan.filtered, " filtered"), (scan.automatic, " automatic")] {
        text.push_str(if is { word } else { "" });
    }
    text
}

/// The scans of each statement; none where SQLite plans nothing that counts as one.
const SCANS: &[(&str, Option<&[&str]>)] = &[
    // A page in key order, by the table and by an index.
    (
        "SELECT id FROM people ORDER BY id LIMIT 20",
        Some(&["people until"]),
    ),
    (
        "SELECT id FROM people ORDER BY id DESC LIMIT 20",
        Some(&["people until"]),
    ),
    (
        "SELECT name FROM people ORDER BY city LIMIT 3",
        Some(&["people.people_city until"]),
    ),
    (
        "SELECT name FROM people LIMIT 3 OFFSET 5",
        Some(&["people until"]),
    ),
    // Rows are looked for.
    (
        "SELECT name FROM people WHERE age = 40 LIMIT 1",
        Some(&["people until filtered"]),
    ),
    (
        "SELECT name FROM people WHERE age = 40",
        Some(&["people all filtered"]),
    ),
    (
        "SELECT name FROM people WHERE age = 40 ORDER BY name LIMIT 3",
        Some(&["people all filtered"]),
    ),
    ("SELECT name FROM adult", Some(&["people all filtered"])),
    ("SELECT max(age) FROM people", Some(&["people all"])),
    ("SELECT * FROM people", Some(&["people all"])),
    ("SELECT sum(uses) FROM word", Some(&["word all"])),
    (
        "SELECT o.total FROM orders o JOIN people p ON p.id = o.person",
        Some(&["orders all"]),
    ),
    (
        "SELECT id FROM people WHERE id < 5 AND (SELECT total FROM orders WHERE person = people.id LIMIT 1) > 3",
        Some(&["orders until filtered"]),
    ),
    // A covering index.
    (
        "SELECT city, count(*) FROM people GROUP BY city",
        Some(&["people.people_city all"]),
    ),
    // Results that live for the run alone.
    (
        "WITH c AS MATERIALIZED (SELECT * FROM people WHERE id <= 5) SELECT * FROM c",
        Some(&[]),
    ),
    (
        "WITH people AS MATERIALIZED (SELECT total FROM orders WHERE id <= 5) SELECT * FROM people",
        Some(&[]),
    ),
    (
        "SELECT id FROM people UNION SELECT id FROM orders ORDER BY 1 LIMIT 3",
        Some(&["people asked", "orders asked"]),
    ),
    (
        "SELECT count(*) FROM people p JOIN orders o ON o.total = p.age WHERE p.id < 90",
        Some(&["orders all automatic"]),
    ),
    // Found by a key.
    ("SELECT name FROM people WHERE id = 7", None),
    ("SELECT name FROM people WHERE id < 7", None),
    ("SELECT name FROM people WHERE city = 'city3'", None),
    ("SELECT count(*) FROM people", None),
    ("SELECT 1", None),
    // Changes.
    (
        "UPDATE people SET age = 1 WHERE name = 'x'",
        Some(&["people all filtered"]),
    ),
    ("UPDATE people SET age = 1 WHERE id = 1", None),
    (
        "DELETE FROM orders WHERE total = 3",
        Some(&["orders all filtered"]),
    ),
    (
        "INSERT INTO orders (person) SELECT id FROM people",
        Some(&["people.people_city all"]),
    ),
    (
        "SELECT name FROM sqlite_schema",
        Some(&["sqlite_schema all"]),
    ),
];

#[test]
fn each_table_that_a_statement_reads_row_by_row_is_named_with_how_far() {
    let (mut connection, take) = asked(|finished| finished.scans());
    for (sql, expected) in SCANS {
        connection.batch_execute(sql).expect("runs");
        let found = take();
        // Nobody is told of the questions, nor counts them.
        assert_eq!(found.len(), 1, "{sql}");
        let scans = found[0].1.as_ref();
        let short: Option<Vec<String>> = scans.map(|scans| scans.iter().map(short).collect());
        let short = short
            .as_ref()
            .map(|it| it.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(short.as_deref(), *expected, "{sql}");
    }
}

#[test]
fn tables_of_other_databases_are_told_from_those_of_main_though_they_have_their_names() {
    let (mut connection, take) = asked(|finished| (finished.is_of_main(), finished.scans()));
    let mut of_main = |sql: &str| {
        connection.batch_execute(sql).expect("runs");
        let (_, (of_main, scans)) = take().pop().expect("a report");
        (
            of_main,
            scans.is_some_and(|it| it.iter().all(|it| it.table == "people")),
        )
    };
    assert_eq!(
        of_main("SELECT name FROM people WHERE age = 3"),
        (Some(true), true)
    );
    assert_eq!(
        of_main("SELECT id FROM people WHERE id = 3"),
        (Some(true), false)
    );
    of_main("ATTACH ':memory:' AS \"an \"\"other\"\"\"");
    of_main("CREATE TABLE \"an \"\"other\"\"\".people (age)");
    assert_eq!(
        of_main("SELECT age FROM \"an \"\"other\"\"\".people"),
        (Some(false), true)
    );
    assert_eq!(of_main("SELECT age FROM people"), (Some(true), true));
    // From here on the same text is about another table.
    of_main("CREATE TEMP TABLE people (age)");
    assert_eq!(of_main("SELECT age FROM people"), (Some(false), true));
    assert_eq!(of_main("SELECT age FROM main.people"), (Some(true), true));
    of_main("CREATE TEMP VIEW orders AS SELECT age FROM temp.people");
    assert_eq!(of_main("SELECT * FROM orders"), (Some(false), true));
}

#[test]
fn questions_change_no_count_of_the_statements_behind_them() {
    let counts = |ask: bool| {
        let (mut connection, take) = asked(move |finished| {
            if ask {
                let _ = finished.scans();
                let _ = finished.is_of_main();
            }
            (*finished.counters(), finished.is_complete())
        });
        for (sql, _) in SCANS {
            connection.batch_execute(sql).expect("runs");
        }
        take()
    };
    assert_eq!(counts(true), counts(false));
}
