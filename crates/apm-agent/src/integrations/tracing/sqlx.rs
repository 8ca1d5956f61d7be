//! Queries of sqlx, which tells of each by an event when it has ended.

use std::fmt::Debug;
use std::time::Duration;

use ::tracing::Event;
use ::tracing::field::{Field, Visit};

use super::Database;
use crate::recording::context;
use crate::recording::db_span::{MAX_STATEMENT, Past, record_past};

/// The target of the events.
pub(super) const TARGET: &str = "sqlx::query";

/// Records the query that an event tells of, under what is current. `span`: the statement of the span in which it was
/// made, which a library around sqlx has made of the query.
pub(super) fn observe(event: &Event<'_>, database: Option<&Database>, span: Option<&str>) {
    if context::with(|_| Some(())).is_none() {
        return;
    }
    let mut query = Query::default();
    event.record(&mut query);
    // A statement that fits into the summary is not repeated.
    let statement = match query.statement.trim() {
        "" => query.summary.trim(),
        statement => statement,
    };
    if statement.is_empty() || span.is_some_and(|known| known.trim() == statement) {
        return;
    }
    let past = Past {
        subtype: match database {
            Some(database) => &database.subtype,
            None => subtype_here(),
        },
        instance: database.and_then(|database| database.instance.as_deref()),
        statement,
        duration: Duration::try_from_secs_f64(query.seconds).unwrap_or_default(),
        rows_affected: query.rows_affected,
    };
    record_past(&past);
}

/// The database of this thread. sqlx runs SQLite on threads of its own, and says nothing of others.
fn subtype_here() -> &'static str {
    let thread = std::thread::current();
    match thread.name() {
        Some(name) if name.starts_with("sqlx-sqlite") => "sqlite",
        _ => "unknown",
    }
}

#[derive(Default)]
struct Query {
    summary: String,
    statement: String,
    seconds: f64,
    rows_affected: Option<u64>,
}

impl Visit for Query {
    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "elapsed_secs" {
            self.seconds = value;
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "rows_affected" {
            self.rows_affected = Some(value);
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let value = &value[..value.floor_char_boundary(MAX_STATEMENT)];
        match field.name() {
            "summary" => value.clone_into(&mut self.summary),
            "db.statement" => value.clone_into(&mut self.statement),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}
