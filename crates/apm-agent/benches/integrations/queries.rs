//! Queries: each reads one row by its key.

use std::hint::black_box;
use std::time::Duration;

use ::diesel::connection::SimpleConnection as _;
use ::diesel::prelude::*;
use rusqlite::trace::{TraceEvent, TraceEventCodes};

use crate::Run;

diesel::table! {
    people (id) {
        id -> Integer,
        name -> Text,
    }
}

const TABLE: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
     INSERT INTO people (name) VALUES ('Ada')";
const SQL: &str = "SELECT name FROM people WHERE id = ?";

/// With what SQLite did for it.
pub(crate) fn diesel(run: &Run) {
    let diesel = run.watched.is_on().then(|| run.agent.diesel("people.db"));
    ask_diesel(run, |connection| {
        if let Some(diesel) = &diesel {
            diesel.instrument(connection);
        }
    });
}

/// As a connection is traced that takes an instrumentation alone.
pub(crate) fn tracer(run: &Run) {
    ask_diesel(run, |connection| {
        if run.watched.is_on() {
            connection.set_instrumentation(run.agent.diesel("people.db").tracer("sqlite"));
        }
    });
}

fn ask_diesel(run: &Run, watch: impl FnOnce(&mut SqliteConnection)) {
    let mut connection = SqliteConnection::establish(":memory:").expect("memory");
    connection.batch_execute(TABLE).expect("a table");
    watch(&mut connection);
    run.within(|| {
        let found: String = people::table
            .filter(people::id.eq(1))
            .select(people::name)
            .first(&mut connection)
            .expect("the row");
        black_box(found);
    });
}

/// With what SQLite did for it.
pub(crate) fn rusqlite_metered(run: &Run) {
    let sqlite = run.watched.is_on().then(|| run.agent.sqlite("people.db"));
    ask_rusqlite(run, |connection| {
        if let Some(sqlite) = sqlite {
            let instrumented = sqlite.instrument(|sql| connection.execute_batch(sql));
            instrumented.expect("it was opened behind the call of `sqlite`");
        }
    });
}

/// By rusqlite's own report of a statement's end.
pub(crate) fn rusqlite_ended(run: &Run) {
    fn ended(event: TraceEvent<'_>) {
        if let TraceEvent::Profile(statement, duration) = event {
            apm_agent::span_db_ended("sqlite", Some("people.db"), &statement.sql(), duration);
        }
    }
    ask_rusqlite(run, |connection| {
        if run.watched.is_on() {
            connection.trace_v2(TraceEventCodes::SQLITE_TRACE_PROFILE, Some(ended));
        }
    });
}

fn ask_rusqlite(run: &Run, watch: impl FnOnce(&rusqlite::Connection)) {
    let connection = rusqlite::Connection::open_in_memory().expect("memory");
    connection.execute_batch(TABLE).expect("a table");
    watch(&connection);
    let mut statement = connection.prepare(SQL).expect("a statement");
    run.within(|| {
        let found: String = statement.query_row([1], |row| row.get(0)).expect("the row");
        black_box(found);
    });
}

/// The event by which sqlx tells of a query, and no query.
pub(crate) fn sqlx(run: &Run) {
    super::lines::subscribe(run);
    let elapsed = Duration::from_millis(1);
    run.within(|| {
        tracing::event!(
            target: "sqlx::query",
            tracing::Level::DEBUG,
            summary = SQL,
            db.statement = "",
            rows_affected = 0_u64,
            rows_returned = 1_u64,
            elapsed = ?elapsed,
            elapsed_secs = elapsed.as_secs_f64(),
        );
    });
}
