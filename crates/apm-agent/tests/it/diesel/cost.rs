//! SQLite's work for a statement, as labels of its span.

mod switched;
mod texts;
mod threads;
mod unmeasured;

use std::collections::BTreeMap;
use std::sync::Barrier;

use apm_agent::diesel::QueryResultExt as _;
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool};
use diesel::sql_types::{BigInt, Integer, Text};
use serde_json::Value;
use test_support::alone;

use super::{SqlitePool, names, people, pool, wide_pool};
use crate::support::Checked;

diesel::table! {
    towns (id) {
        id -> Integer,
        city -> Text,
        age -> Integer,
    }
}

#[derive(Debug, QueryableByName)]
struct Group {
    #[diesel(sql_type = BigInt)]
    #[expect(dead_code, reason = "only the rows are counted")]
    n: i64,
}

/// Rows of the table that the tests ask.
const ROWS: i32 = 1000;

/// Makes the table; what this costs is nobody's.
#[derive(Debug)]
struct Towns;

impl CustomizeConnection<SqliteConnection, diesel::r2d2::Error> for Towns {
    fn on_acquire(&self, connection: &mut SqliteConnection) -> Result<(), diesel::r2d2::Error> {
        connection
            .batch_execute(&format!(
                "CREATE TABLE towns (id INTEGER PRIMARY KEY, city TEXT NOT NULL, age INTEGER NOT NULL);
                 WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {ROWS})
                 INSERT INTO towns SELECT i, 'city' || (i % 9), i % 90 FROM n;"
            ))
            .map_err(diesel::r2d2::Error::QueryError)
    }
}

fn towns(recorder: &Checked, connections: u32) -> SqlitePool {
    Pool::builder()
        .max_size(connections)
        .connection_customizer(Box::new(recorder.agent().diesel("towns.db").then(Towns)))
        .build(ConnectionManager::new(":memory:"))
        .unwrap()
}

/// Runs work in a transaction of its own, and returns its spans.
fn spans_of(
    recorder: &Checked,
    pool: &SqlitePool,
    work: impl FnOnce(&mut SqliteConnection),
) -> Vec<Value> {
    recorder.run(|agent| {
        agent
            .transaction("GET /", "request")
            .run(|| work(&mut pool.get().unwrap()));
    });
    recorder.take().spans
}

/// The labels of a span, but for the hash of its values.
fn labels(span: &Value) -> BTreeMap<&str, u64> {
    let tags = span["context"]["tags"].as_object();
    let numbers = tags.into_iter().flatten().filter_map(|(name, value)| {
        let name = name.strip_prefix("sqlite_")?;
        Some((name, value.as_u64().expect("a whole number")))
    });
    numbers.collect()
}

/// The labels without the number of steps, which is SQLite's own affair, but for that there are some.
fn counts(span: &Value) -> Vec<(&str, u64)> {
    let mut labels = labels(span);
    assert!(
        labels.remove("steps").is_some_and(|steps| steps > 0),
        "{span}"
    );
    labels.into_iter().collect()
}

fn statement(span: &Value) -> &str {
    span["context"]["db"]["statement"].as_str().unwrap()
}

fn rows_affected(span: &Value) -> Option<u64> {
    span["context"]["db"]["rows_affected"].as_u64()
}

/// The text of a span's statement, its labels, and the rows that it changed.
type Shown = (String, Vec<(String, u64)>, Option<u64>);

fn shown(spans: &[Value]) -> Vec<Shown> {
    let shown = spans.iter().map(|span| {
        let labels = labels(span).into_iter();
        let labels = labels.map(|(name, count)| (name.to_owned(), count));
        (
            statement(span).to_owned(),
            labels.collect(),
            rows_affected(span),
        )
    });
    shown.collect()
}

fn ask(connection: &mut SqliteConnection, age: i32) -> usize {
    let found: Vec<i32> = towns::table
        .filter(towns::age.eq(age))
        .select(towns::id)
        .load(connection)
        .unwrap();
    found.len()
}

/// One of each kind.
fn work(connection: &mut SqliteConnection) {
    assert_eq!(ask(connection, 9), 12);
    let city: String = towns::table
        .find(3)
        .select(towns::city)
        .first(connection)
        .unwrap();
    assert_eq!(city, "city3");
    let groups: Vec<Group> =
        diesel::sql_query("SELECT count(*) AS n FROM towns GROUP BY city ORDER BY n")
            .load(connection)
            .unwrap();
    assert_eq!(groups.len(), 9);
    diesel::insert_into(towns::table)
        .values((towns::city.eq("x"), towns::age.eq(200)))
        .execute(connection)
        .unwrap();
    diesel::update(towns::table.filter(towns::age.eq(200)))
        .set(towns::city.eq("y"))
        .execute(connection)
        .unwrap();
    diesel::delete(towns::table.filter(towns::age.ge(200)))
        .execute(connection)
        .unwrap();
}

#[test]
fn spans_say_what_sqlite_did_in_their_first_run_and_in_later_ones() {
    let recorder = Checked::uncompressed();
    let pool = towns(&recorder, 1);
    for _ in 0..3 {
        let spans = spans_of(&recorder, &pool, work);
        let shown: Vec<_> = spans
            .iter()
            .map(|span| {
                (
                    span["name"].as_str().unwrap(),
                    counts(span),
                    rows_affected(span),
                )
            })
            .collect();
        let (scans, returned) = (u64::try_from(ROWS).unwrap(), "rows_returned");
        assert_eq!(
            shown,
            [
                (
                    "SELECT FROM towns",
                    vec![(returned, 12), ("scan_steps", scans - 1)],
                    None
                ),
                // Each value that is bound to LIMIT may change the plan.
                (
                    "SELECT FROM towns",
                    vec![("reprepares", 1), (returned, 1)],
                    None
                ),
                (
                    "SELECT FROM towns",
                    vec![(returned, 9), ("scan_steps", scans - 1), ("sorts", 2)],
                    None
                ),
                ("INSERT INTO towns", vec![(returned, 0)], Some(1)),
                (
                    "UPDATE towns",
                    vec![(returned, 0), ("scan_steps", scans)],
                    Some(1)
                ),
                (
                    "DELETE FROM towns",
                    vec![(returned, 0), ("scan_steps", scans)],
                    Some(1)
                ),
            ]
        );
        assert_eq!(
            statement(&spans[0]),
            "SELECT `towns`.`id` FROM `towns` WHERE (`towns`.`age` = ?)"
        );
    }
}

#[test]
fn a_composite_has_the_sums_of_its_statements() {
    let recorder = Checked::default();
    let pool = towns(&recorder, 1);
    let one = spans_of(&recorder, &pool, |connection| {
        ask(connection, 9);
    });
    let spans = spans_of(&recorder, &pool, |connection| {
        for _ in 0..4 {
            ask(connection, 9);
        }
        drop(apm_agent::span("between", "app"));
        for age in 0..3 {
            diesel::update(towns::table.find(age + 1))
                .set(towns::age.eq(age))
                .execute(connection)
                .unwrap();
        }
    });
    assert_eq!(spans[0]["composite"]["count"], 4);
    for (name, count) in labels(&one[0]) {
        assert_eq!(labels(&spans[0])[name], 4 * count, "{name}");
    }
    assert_eq!(spans[2]["composite"]["count"], 3);
    assert_eq!(rows_affected(&spans[2]), Some(3));
}

#[test]
fn a_batch_is_one_span_with_its_whole_text_and_the_sums() {
    let recorder = Checked::uncompressed();
    let pool = pool(&recorder);
    const BATCH: &str =
        "INSERT INTO people (name) VALUES ('a'); INSERT INTO people (name) VALUES ('b'), ('c');
        CREATE TABLE other (x); SELECT * FROM people";
    let spans = spans_of(&recorder, &pool, |connection| {
        connection.batch_execute(BATCH).unwrap()
    });
    assert_eq!(spans.len(), 1);
    assert_eq!(statement(&spans[0]), BATCH);
    assert_eq!(rows_affected(&spans[0]), Some(3));
    assert_eq!(labels(&spans[0])["rows_returned"], 3);

    // Only the first of these is run: SQLite tells of no other.
    let two = "SELECT 1 AS n; SELECT 2 AS n";
    let spans = spans_of(&recorder, &pool, |connection| {
        let _: Vec<Group> = diesel::sql_query(two).load(connection).unwrap();
    });
    assert_eq!(statement(&spans[0]), two);
}

#[test]
fn the_rows_of_a_virtual_table_are_those_that_the_query_sees() {
    let recorder = Checked::uncompressed();
    let pool = pool(&recorder);
    let spans = spans_of(&recorder, &pool, |connection| {
        connection
            .batch_execute("CREATE VIRTUAL TABLE texts USING fts5(body)")
            .unwrap();
        for body in ["one fish", "two fish", "red fox"] {
            diesel::sql_query("INSERT INTO texts (body) VALUES (?)")
                .bind::<Text, _>(body)
                .execute(connection)
                .unwrap();
        }
        let found: Vec<Group> =
            diesel::sql_query("SELECT rowid AS n FROM texts WHERE texts MATCH 'fish'")
                .load(connection)
                .unwrap();
        assert_eq!(found.len(), 2);
    });
    assert!(
        spans[1..4]
            .iter()
            .all(|span| rows_affected(span) == Some(1)),
        "{spans:?}"
    );
    assert_eq!(statement(&spans[1]), "INSERT INTO texts (body) VALUES (?)");
    assert_eq!(labels(&spans[1])["rows_returned"], 0);
    assert_eq!(
        statement(&spans[4]),
        "SELECT rowid AS n FROM texts WHERE texts MATCH 'fish'"
    );
    assert_eq!(labels(&spans[4])["rows_returned"], 2);
}

#[test]
fn failures_carry_what_was_done_and_no_changed_rows() {
    let recorder = Checked::uncompressed();
    let pool = pool(&recorder);
    for _ in 0..2 {
        let spans = spans_of(&recorder, &pool, |connection| {
            diesel::delete(people::table).execute(connection).unwrap();
            let insert = |connection: &mut SqliteConnection| {
                let insert = diesel::insert_into(people::table).values(people::name.eq("a"));
                insert.execute(connection)
            };
            insert(connection).unwrap();
            insert(connection).unwrap_err();
            diesel::insert_into(people::table)
                .values(people::name.eq("a"))
                .returning(people::id)
                .get_result::<i32>(connection)
                .mark_failure()
                .unwrap_err();
            // Never prepared.
            let nowhere = diesel::sql_query("SELECT nothing FROM nowhere");
            nowhere.execute(connection).unwrap_err();
        });
        let shown: Vec<_> = spans[1..]
            .iter()
            .map(|span| {
                let measured = labels(span).contains_key("steps");
                (
                    span["outcome"].as_str().unwrap(),
                    rows_affected(span),
                    measured,
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("success", Some(1), true),
                ("failure", None, true),
                ("failure", None, true),
                ("failure", None, false),
            ]
        );
        assert_eq!(statement(&spans[4]), "SELECT nothing FROM nowhere");
    }
}

#[test]
fn rows_that_are_not_read_to_the_end_are_counted_as_far_as_they_were() {
    let recorder = Checked::uncompressed();
    let pool = towns(&recorder, 1);
    for _ in 0..2 {
        let spans = spans_of(&recorder, &pool, |connection| {
            let rows = towns::table
                .select(towns::id)
                .load_iter::<i32, diesel::connection::DefaultLoadingMode>(connection)
                .unwrap();
            assert_eq!(rows.take(5).count(), 5);
        });
        assert_eq!(labels(&spans[0])["rows_returned"], 5);
        assert_eq!(statement(&spans[0]), "SELECT `towns`.`id` FROM `towns`");
    }
}

#[test]
fn pages_are_counted_for_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("towns.db");
    let path = path.to_str().unwrap();
    Towns
        .on_acquire(&mut SqliteConnection::establish(path).unwrap())
        .unwrap();
    let recorder = Checked::uncompressed();
    let pool: SqlitePool = Pool::builder()
        .max_size(1)
        .connection_customizer(Box::new(recorder.agent().diesel(path)))
        .build(ConnectionManager::new(path))
        .unwrap();
    let spans = spans_of(&recorder, &pool, |connection| {
        ask(connection, 9);
        diesel::update(towns::table)
            .set(towns::age.eq(1))
            .execute(connection)
            .unwrap();
        ask(connection, 9);
    });
    assert!(labels(&spans[0])["pages_read"] > 1, "{:?}", spans[0]);
    assert!(!labels(&spans[0]).contains_key("pages_written"));
    assert!(labels(&spans[1])["pages_written"] > 1, "{:?}", spans[1]);
    assert_eq!(labels(&spans[2]).get("pages_written"), None);
}
