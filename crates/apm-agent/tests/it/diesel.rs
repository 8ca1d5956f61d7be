//! Spans of Diesel's queries on SQLite.

mod binds;
mod connections;
mod cost;
mod hashes;
mod plans;
mod rusqlite;
mod secrets;

use apm_agent::diesel::{AffectedRowsExt as _, QueryResultExt as _};
use apm_agent::testing::Recorded;
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool};
use serde_json::Value;

use crate::support::Checked;

diesel::table! {
    people {
        id -> Integer,
        name -> Text,
    }
}

pub(crate) type SqlitePool = Pool<ConnectionManager<SqliteConnection>>;

#[derive(Debug)]
struct CreateTable;

impl CustomizeConnection<SqliteConnection, diesel::r2d2::Error> for CreateTable {
    fn on_acquire(&self, connection: &mut SqliteConnection) -> Result<(), diesel::r2d2::Error> {
        connection
            .batch_execute(
                "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
            )
            .map_err(diesel::r2d2::Error::QueryError)
    }
}

pub(crate) fn pool(recorder: &Checked) -> SqlitePool {
    wide_pool(recorder, 1)
}

/// A pool of so many connections, each with a database of its own.
fn wide_pool(recorder: &Checked, connections: u32) -> SqlitePool {
    Pool::builder()
        .max_size(connections)
        .connection_customizer(Box::new(
            recorder.agent().diesel("people.db").then(CreateTable),
        ))
        .build(ConnectionManager::new(":memory:"))
        .unwrap()
}

fn recorded(recorder: &Checked, work: impl FnOnce(&mut SqliteConnection)) -> Recorded {
    let pool = pool(recorder);
    recorder.run(|agent| {
        agent
            .transaction("GET /", "request")
            .run(|| work(&mut pool.get().unwrap()));
    });
    recorder.take()
}

fn names(recorded: &Recorded) -> Vec<&str> {
    recorded
        .spans
        .iter()
        .map(|span| span["name"].as_str().unwrap())
        .collect()
}

#[test]
fn a_query_is_an_exit_span_with_its_statement_and_without_its_values() {
    let recorder = Checked::uncompressed();
    let recorded = recorded(&recorder, |connection| {
        let found: Vec<i32> = people::table
            .filter(people::name.eq("s3cret"))
            .select(people::id)
            .load(connection)
            .unwrap();
        assert!(found.is_empty());
    });
    let [span] = &recorded.spans[..] else {
        panic!("{:?}: only the query, no ping", names(&recorded))
    };
    assert_eq!(span["name"], "SELECT FROM people");
    assert_eq!(
        (&span["type"], &span["subtype"], &span["action"]),
        (&"db".into(), &"sqlite".into(), &"query".into())
    );
    assert_eq!(span["outcome"], "success");
    let context = &span["context"];
    assert_eq!(context["db"]["type"], "sql");
    assert_eq!(context["db"]["instance"], "people.db");
    assert_eq!(
        context["db"]["statement"],
        "SELECT `people`.`id` FROM `people` WHERE (`people`.`name` = ?)"
    );
    assert_eq!(
        context["service"]["target"],
        serde_json::json!({"type": "sqlite", "name": "people.db"})
    );
    assert_eq!(
        context["destination"]["service"]["resource"],
        "sqlite/people.db"
    );
    assert!(!span.to_string().contains("s3cret"));
}

#[test]
fn a_transaction_shows_its_begin_statements_and_commit_in_order() {
    let recorder = Checked::uncompressed();
    let recorded = recorded(&recorder, |connection| {
        connection
            .immediate_transaction(|connection| {
                for name in ["a", "b"] {
                    diesel::insert_into(people::table)
                        .values(people::name.eq(name))
                        .execute(connection)?;
                }
                diesel::result::QueryResult::Ok(())
            })
            .unwrap();
    });
    assert_eq!(
        names(&recorded),
        [
            "BEGIN",
            "INSERT INTO people",
            "INSERT INTO people",
            "COMMIT"
        ]
    );
    assert_eq!(recorded.spans[1]["action"], "exec");
}

#[test]
fn similar_statements_in_a_row_become_one_when_compression_is_on() {
    let recorder = Checked::default();
    let recorded = recorded(&recorder, |connection| {
        for id in 0..5 {
            let _: Vec<String> = people::table
                .filter(people::id.eq(id))
                .select(people::name)
                .load(connection)
                .unwrap();
        }
    });
    let [span] = &recorded.spans[..] else {
        panic!("{:?}", names(&recorded))
    };
    assert_eq!(span["composite"]["count"], 5);
    assert_eq!(span["composite"]["compression_strategy"], "exact_match");
    assert!(
        span["composite"]["sum"].as_f64().unwrap() <= span["duration"].as_f64().unwrap() + 0.005
    );
    assert_eq!(recorded.transactions[0]["span_count"]["started"], 1);
}

#[test]
fn a_failed_statement_fails_its_span() {
    let recorder = Checked::uncompressed();
    let recorded = recorded(&recorder, |connection| {
        let insert = |connection: &mut SqliteConnection| {
            diesel::insert_into(people::table)
                .values(people::name.eq("a"))
                .execute(connection)
        };
        insert(connection).unwrap();
        insert(connection).unwrap_err();
        diesel::sql_query("SELECT nothing FROM nowhere")
            .execute(connection)
            .unwrap_err();
    });
    let outcomes: Vec<&Value> = recorded.spans.iter().map(|span| &span["outcome"]).collect();
    assert_eq!(outcomes, ["success", "failure", "failure"]);
}

#[test]
fn queries_outside_a_transaction_are_silent() {
    let recorder = Checked::default();
    let pool = pool(&recorder);
    recorder.run(|_| {
        pool.get()
            .unwrap()
            .batch_execute("SELECT 1; SELECT 2")
            .unwrap()
    });
    assert!(recorder.take().spans.is_empty());
}

#[test]
fn a_statement_of_any_length_is_cut_to_ten_thousand_characters() {
    let recorder = Checked::uncompressed();
    let recorded = recorded(&recorder, |connection| {
        let long = format!("SELECT '{}'", "é".repeat(30_000));
        diesel::sql_query(long).execute(connection).unwrap();
    });
    let statement = recorded.spans[0]["context"]["db"]["statement"]
        .as_str()
        .unwrap();
    assert_eq!(statement.chars().count(), 10_000);
    assert!(statement.ends_with('…'));
}

#[test]
fn a_literal_that_looks_like_bound_values_stays() {
    let recorder = Checked::uncompressed();
    let recorded = recorded(&recorder, |connection| {
        diesel::sql_query("SELECT ' -- binds: [1]'")
            .execute(connection)
            .unwrap();
    });
    assert_eq!(
        recorded.spans[0]["context"]["db"]["statement"],
        "SELECT ' -- binds: [1]'"
    );
}

#[test]
fn over_the_limit_statements_are_counted_by_their_target() {
    let recorder = Checked::with_options([
        ("transaction_max_spans", "1"),
        ("span_compression_enabled", "false"),
    ]);
    let recorded = recorded(&recorder, |connection| {
        for _ in 0..4 {
            diesel::sql_query("SELECT 7").execute(connection).unwrap();
        }
    });
    assert_eq!(recorded.spans.len(), 1);
    let statistics = &recorded.transactions[0]["dropped_spans_stats"][0];
    assert_eq!(
        statistics["destination_service_resource"],
        "sqlite/people.db"
    );
    assert_eq!(statistics["duration"]["count"], 3);
}

#[test]
fn fast_statements_are_dropped_when_asked_and_counted() {
    let recorder = Checked::with_options([("exit_span_min_duration", "10s")]);
    let recorded = recorded(&recorder, |connection| {
        for _ in 0..4 {
            diesel::sql_query("SELECT 7").execute(connection).unwrap();
        }
    });
    assert!(recorded.spans.is_empty());
    let transaction = &recorded.transactions[0];
    assert_eq!(
        transaction["span_count"],
        serde_json::json!({"started": 0, "dropped": 1})
    );
    assert_eq!(
        transaction["dropped_spans_stats"][0]["duration"]["count"],
        4
    );
}

#[test]
fn a_failed_load_is_marked_by_what_its_caller_saw() {
    for options in [
        [("span_compression_enabled", "false")],
        [("span_compression_enabled", "true")],
    ] {
        let recorder = Checked::with_options(options);
        let recorded = recorded(&recorder, |connection| {
            let insert = |connection: &mut SqliteConnection, name| {
                diesel::insert_into(people::table)
                    .values(people::name.eq(name))
                    .returning(people::id)
                    .get_result::<i32>(connection)
                    .mark_failure()
            };
            insert(connection, "a").unwrap();
            insert(connection, "b").unwrap();
            insert(connection, "a").unwrap_err();
            insert(connection, "c").unwrap();
        });
        let shown: Vec<(u64, &str)> = recorded
            .spans
            .iter()
            .map(|span| {
                (
                    span["composite"]["count"].as_u64().unwrap_or(1),
                    span["outcome"].as_str().unwrap(),
                )
            })
            .collect();
        let count: u64 = shown.iter().map(|(count, _)| count).sum();
        assert_eq!(count, 4, "{shown:?}");
        assert_eq!(
            shown
                .iter()
                .filter(|(_, outcome)| *outcome == "failure")
                .count(),
            1,
            "{shown:?}"
        );
        let failed = shown
            .iter()
            .position(|(_, outcome)| *outcome == "failure")
            .unwrap();
        let before: u64 = shown[..failed].iter().map(|(count, _)| count).sum();
        assert_eq!(before, 2, "{shown:?}");
    }
}

#[test]
fn the_rows_that_a_statement_changed_are_recorded_where_its_caller_tells() {
    for recorder in [Checked::default(), Checked::uncompressed()] {
        let recorded = recorded(&recorder, |connection| {
            let _span = apm_agent::span("add", "app");
            let values = ["a", "b", "c"].map(|name| people::name.eq(name));
            let insert = diesel::insert_into(people::table).values(values.to_vec());
            assert_eq!(insert.execute(connection).record_rows(), Ok(3));
            let rename = diesel::update(people::table).set(people::name.eq("d"));
            assert!(rename.execute(connection).record_rows().is_err());
            let count = diesel::sql_query("SELECT count(*) FROM people");
            assert!(count.execute(connection).record_rows().is_ok());
            diesel::delete(people::table).execute(connection).unwrap();
        });
        let shown = recorded.spans.iter().map(|span| {
            let rows = span["context"]["db"]["rows_affected"].as_u64();
            (
                span["name"].as_str().unwrap(),
                rows,
                span["outcome"] == "success",
            )
        });
        let shown: Vec<_> = shown.collect();
        assert_eq!(
            shown,
            [
                ("INSERT INTO people", Some(3), true),
                ("UPDATE people", None, false),
                ("SELECT FROM people", None, true),
                // SQLite says it by itself.
                ("DELETE FROM people", Some(3), true),
                ("add", None, true),
            ]
        );
    }
}

#[test]
fn an_error_that_a_query_caused_marks_the_query() {
    #[derive(Debug, thiserror::Error)]
    #[error("cannot add a person")]
    struct AddFailed(#[from] diesel::result::Error);

    let recorder = Checked::uncompressed();
    let recorded = recorded(&recorder, |connection| {
        let _span = apm_agent::span("add", "app");
        let failed =
            diesel::sql_query("SELECT abs(-9223372036854775808) AS id").load::<Id>(connection);
        apm_agent::capture_error(&AddFailed(failed.unwrap_err()));
        let nobody = people::table.select(people::id).first::<i32>(connection);
        apm_agent::capture_error(&AddFailed(nobody.unwrap_err()));
    });
    let outcomes: Vec<_> = recorded
        .spans
        .iter()
        .map(|span| {
            (
                span["name"].as_str().unwrap(),
                span["outcome"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        outcomes,
        [
            ("SELECT", "failure"),
            ("SELECT FROM people", "success"),
            ("add", "failure")
        ]
    );
}

#[derive(Debug, QueryableByName)]
struct Id {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    #[expect(dead_code, reason = "it is never read: the query fails")]
    id: i64,
}

#[test]
fn a_wait_for_a_connection_is_a_span_when_it_is_long() {
    let recorder = Checked::uncompressed();
    let agent = recorder.agent();
    let pool: SqlitePool = Pool::builder()
        .max_size(1)
        .event_handler(Box::new(agent.pool_events("people")))
        .connection_customizer(Box::new(agent.diesel("people.db")))
        .build(ConnectionManager::new(":memory:"))
        .unwrap();
    agent.observe_pool(&pool);
    let held = pool.get().unwrap();
    recorder.run(|agent| {
        let waiting = agent.transaction("GET /", "request");
        std::thread::scope(|scope| {
            scope.spawn(|| waiting.run(|| drop(pool.get().unwrap())));
            std::thread::sleep(std::time::Duration::from_millis(20));
            drop(held);
        });
        drop(waiting);
        agent
            .transaction("GET /", "request")
            .run(|| drop(pool.get().unwrap()));
    });
    let recorded = recorder.take_with_metrics();
    assert_eq!(names(&recorded), ["checkout"]);
    assert!(recorded.spans[0]["duration"].as_f64().unwrap() > 1.0);
    let samples: Vec<&Value> = recorded
        .metricsets
        .iter()
        .map(|set| &set["samples"])
        .collect();
    assert!(
        samples
            .iter()
            .any(|samples| samples["db.pool.connections"]["value"] == 1.0),
        "{samples:?}"
    );
    assert!(
        samples
            .iter()
            .any(|samples| samples["db.pool.checkout.count"]["value"] == 3.0),
        "{samples:?}"
    );
}

#[test]
fn integrations_that_are_switched_off_leave_spans_by_hand() {
    let recorder = Checked::with_options([("instrument", "false")]);
    let recorded = recorded(&recorder, |connection| {
        let _span = apm_agent::span("by hand", "app");
        diesel::sql_query("SELECT 7").execute(connection).unwrap();
    });
    assert_eq!(names(&recorded), ["by hand"]);
}
