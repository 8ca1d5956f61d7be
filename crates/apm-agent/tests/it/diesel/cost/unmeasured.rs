//! Connections that cannot be measured.

use super::*;
use crate::support::logged;

/// Takes the meter's function away from each connection.
#[derive(Debug)]
struct Unmeasurable;

mod other {
    diesel::define_sql_function! {
        fn sqlite_meter_locate() -> diesel::sql_types::Integer;
    }
}

impl CustomizeConnection<SqliteConnection, diesel::r2d2::Error> for Unmeasurable {
    fn on_acquire(&self, connection: &mut SqliteConnection) -> Result<(), diesel::r2d2::Error> {
        other::sqlite_meter_locate_utils::register_impl(connection, || 7)
            .and_then(|()| {
                connection.batch_execute(
                    "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
                )
            })
            .map_err(diesel::r2d2::Error::QueryError)
    }
}

#[test]
fn where_sqlite_cannot_be_asked_spans_are_as_those_of_other_databases() {
    let recorder = Checked::uncompressed();
    let customizer = recorder.agent().diesel("people.db").then(Unmeasurable);
    let pool: SqlitePool = Pool::builder()
        .max_size(1)
        .connection_customizer(Box::new(customizer))
        .build(ConnectionManager::new(":memory:"))
        .unwrap();
    for _ in 0..2 {
        let spans = spans_of(&recorder, &pool, |connection| {
            for name in ["a", "b", "a"] {
                let _: Vec<i32> = people::table
                    .filter(people::name.eq(name))
                    .select(people::id)
                    .load(connection)
                    .unwrap();
            }
        });
        assert_eq!(spans.len(), 3);
        for span in &spans {
            assert!(labels(span).is_empty(), "{span}");
            assert!(span["context"]["tags"]["bind_hash"].is_string(), "{span}");
            assert_eq!(
                statement(span),
                "SELECT `people`.`id` FROM `people` WHERE (`people`.`name` = ?)"
            );
        }
    }
}

#[test]
fn the_log_says_once_that_sqlite_cannot_be_asked() {
    alone(
        "diesel::cost::unmeasured::connections_that_cannot_be_asked",
        &[],
    );
}

#[test]
#[ignore = "alone in a process: the process has one logger, and the line comes once"]
fn connections_that_cannot_be_asked() {
    logged::start(::log::LevelFilter::Warn);
    let recorder = Checked::default();
    for _ in 0..3 {
        let customizer = recorder.agent().diesel("people.db").then(Unmeasurable);
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        customizer.on_acquire(&mut connection).unwrap();
    }
    let lines = logged::taken();
    let about = lines.iter().filter(|line| line.contains("what SQLite did"));
    assert_eq!(about.count(), 1, "{lines:?}");
}
