//! Queries of sqlx, told by its events.

use ::tracing::{Level, event, info_span};
use serde_json::json;
use tracing_subscriber::layer::SubscriberExt as _;

use super::{named, recorded, recorded_with};
use crate::support::Checked;

/// The event that sqlx makes when a query has ended.
fn query(summary: &str, statement: &str, seconds: f64, rows: u64) {
    event!(
        target: "sqlx::query",
        Level::DEBUG,
        summary,
        db.statement = statement,
        rows_affected = rows,
        rows_returned = 1_u64,
        elapsed = ?std::time::Duration::from_millis(1),
        elapsed_secs = seconds,
    );
}

#[test]
fn a_query_is_a_span_that_began_before_its_event() {
    let recorded = recorded(|| {
        let _within = info_span!("find").entered();
        let statement = "\n\nINSERT INTO people (name) VALUES (?)\n";
        query("INSERT INTO people (name) …", statement, 0.25, 3);
        query("SELECT 7", "", 0.0, 3);
    });
    let insert = named(&recorded, "INSERT INTO people");
    assert_eq!(
        (&insert["type"], &insert["subtype"]),
        (&json!("db"), &json!("unknown"))
    );
    assert_eq!(
        insert["context"]["db"],
        json!({"type": "sql", "statement": "INSERT INTO people (name) VALUES (?)", "rows_affected": 3})
    );
    assert!(insert["duration"].as_f64().unwrap() >= 250.0);
    assert_eq!(insert["parent_id"], named(&recorded, "find")["id"]);
    let select = named(&recorded, "SELECT");
    assert_eq!(select["context"]["db"]["statement"], "SELECT 7");
    assert!(select["context"]["db"]["rows_affected"].is_null());
}

#[test]
fn a_query_of_which_a_library_has_made_a_span_is_no_second_one() {
    let recorded = recorded(|| {
        let sql = "SELECT name FROM people";
        let of_library = ::tracing::info_span!(
            "sea_orm.query_one",
            otel.kind = "client",
            db.system = "sqlite",
            db.statement = ::tracing::field::Empty,
        );
        of_library.record("db.statement", sql);
        let _within = of_library.entered();
        let _driver = ::tracing::trace_span!("query_one").entered();
        query("SELECT name FROM people", "", 0.25, 0);
        // Another statement within it is a query of its own.
        query("PRAGMA foreign_keys", "", 0.0, 0);
    });
    let names: Vec<_> = recorded.spans.iter().map(|span| &span["name"]).collect();
    assert_eq!(names, ["PRAGMA", "SELECT FROM people"]);
}

#[test]
fn the_database_is_the_one_that_the_service_names() {
    let recorder = Checked::uncompressed();
    let layer = apm_agent::tracing::layer().with_sqlx("postgresql", Some("shop"));
    ::tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        recorder.run(|agent| {
            let transaction = agent.transaction("GET /", "request");
            transaction.run(|| query("SELECT 7", "", 0.0, 0));
            // Outside of a transaction there is none.
            query("SELECT 8", "", 0.0, 0);
        });
    });
    let recorded = recorder.take();
    assert_eq!(recorded.spans.len(), 1);
    let target = &recorded.spans[0]["context"]["service"]["target"];
    assert_eq!(*target, json!({"type": "postgresql", "name": "shop"}));
}

#[test]
fn whatever_an_event_says_the_span_is_one_that_the_server_takes() {
    let long = "SELECT ".to_owned() + &"x".repeat(200_000);
    for seconds in [-1.0, f64::NAN, f64::INFINITY, 1e300] {
        let recorded = recorded_with(&Checked::uncompressed(), || {
            query("", "", seconds, u64::MAX);
            query("SELECT x", &long, seconds, u64::MAX);
            query("PRAGMA key = 's3cret'", "", seconds, 0);
        });
        assert_eq!(recorded.spans.len(), 2);
        assert!(!format!("{:?}", recorded.spans).contains("s3cret"));
    }
}
