//! Secrets in SQL: nothing of them is sent, wherever the SQL stands.

use ::log::{Level, Log, Metadata, Record};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use tracing_subscriber::layer::SubscriberExt as _;

use super::{pool, recorded};
use crate::support::Checked;

#[derive(Debug)]
struct Nowhere;

impl Log for Nowhere {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, _: &Record<'_>) {}

    fn flush(&self) {}
}

fn statements(recorded: &apm_agent::testing::Recorded) -> Vec<&str> {
    let spans = recorded.spans.iter();
    spans
        .map(|span| span["context"]["db"]["statement"].as_str().unwrap())
        .collect()
}

#[test]
fn a_key_in_a_statement_is_not_sent_and_other_literals_are() {
    let recorder = Checked::uncompressed();
    let recorded = recorded(&recorder, |connection| {
        for sql in [
            "PRAGMA key='s3cret'",
            "PRAGMA/**/key=s3cret",
            "ATTACH DATABASE ':memory:' AS a KEY 's3cret'",
            "CREATE ROLE bob PASSWORD 's3cret'",
            "SELECT 1 AS one, 'seen'",
        ] {
            // Not all of these are SQLite's. A statement that fails is sent as well.
            let _ = diesel::sql_query(sql).execute(connection);
        }
        let _ = connection.batch_execute("SELECT 1; PRAGMA rekey = \"s3cret\"");
    });
    let text = format!("{:?} {:?}", recorded.spans, recorded.transactions);
    assert!(!text.to_lowercase().contains("s3cret"), "{text}");
    let statements = statements(&recorded);
    assert_eq!(statements[0], "PRAGMA key=?");
    assert!(
        statements.contains(&"CREATE ROLE bob PASSWORD ?"),
        "{statements:?}"
    );
    assert!(
        statements.contains(&"SELECT 1 AS one, 'seen'"),
        "{statements:?}"
    );
}

#[test]
fn every_literal_is_masked_on_request() {
    let recorder = Checked::with_options([
        ("span_compression_enabled", "false"),
        ("sanitize_sql", "true"),
    ]);
    let recorded = recorded(&recorder, |connection| {
        diesel::sql_query("SELECT 'bob', 42 -- 43")
            .execute(connection)
            .unwrap();
        apm_agent::capture_message("slow: SELECT 'bob', 42");
    });
    assert_eq!(statements(&recorded), ["SELECT ?, ?"]);
    assert_eq!(recorded.errors[0]["log"]["message"], "slow: SELECT ?, ?");
}

#[test]
fn a_secret_in_a_message_an_error_a_log_line_or_a_label_is_not_sent() {
    #[derive(Debug, thiserror::Error)]
    #[error("cannot run `{0}`")]
    struct Failed(&'static str, #[source] std::io::Error);

    const SQL: &str = "PRAGMA key = 's3cret'";
    let recorder = Checked::with_options([("log_sending", "true")]);
    let pool = pool(&recorder);
    let logger = apm_agent::log::Logger::new(Nowhere);
    let subscriber = tracing_subscriber::registry().with(apm_agent::tracing::layer());
    ::tracing::subscriber::with_default(subscriber, || {
        recorder.run(|agent| {
            agent.transaction("GET /", "request").run(|| {
                drop(pool.get());
                let cause = std::io::Error::other("alter user bob identified by s3cret");
                apm_agent::capture_error(&Failed(SQL, cause));
                apm_agent::capture_message(format!("failed: {SQL}"));
                let mut record = Record::builder();
                record.level(Level::Error).target("shop");
                logger.log(&record.args(format_args!("failed: {SQL}")).build());
                ::tracing::error!(db.statement = SQL, "query failed");
                ::tracing::info_span!("query", db.statement = SQL).in_scope(|| {
                    apm_agent::span("by hand", "app").set_label("sql", SQL);
                });
                let _ = std::panic::catch_unwind(|| panic!("{SQL}"));
                if let Some(transaction) = apm_agent::current_transaction() {
                    transaction.set_label("sql", SQL);
                }
            });
        });
    });
    let recorded = recorder.take();
    assert_eq!(recorded.errors.len(), 5, "{:?}", recorded.errors);
    assert_eq!(recorded.logs.len(), 2, "{:?}", recorded.logs);
    assert_eq!(recorded.spans.len(), 2, "{:?}", recorded.spans);
    let text = format!("{recorded:?}");
    // The source lines of this file are sent with the stack, and name it.
    let shown: Vec<_> = text
        .match_indices("s3cret")
        .map(|(at, _)| &text[at.saturating_sub(60)..at])
        .collect();
    assert!(
        shown
            .iter()
            .all(|before| before.contains("SQL: &str") || before.contains("other(")),
        "{shown:?}"
    );
    assert_eq!(
        recorded.errors[1]["log"]["message"],
        "failed: PRAGMA key = ?"
    );
}
