//! Pets in SQLite, asked by rusqlite, which tells a function of each statement that has ended.

use std::sync::{Arc, Mutex, PoisonError};

use apm_agent::Context;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use rusqlite::trace::{TraceEvent, TraceEventCodes};
use rusqlite::{Connection, OptionalExtension as _};

/// The pets.
#[derive(Clone, Debug)]
pub struct Pets(Arc<Mutex<Connection>>);

impl Pets {
    /// A table in memory, with Byron in it.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn open() -> rusqlite::Result<Self> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch(
            "CREATE TABLE pets (id INTEGER PRIMARY KEY, name TEXT NOT NULL); INSERT INTO pets (name) VALUES ('Byron')",
        )?;
        connection.trace_v2(TraceEventCodes::SQLITE_TRACE_PROFILE, Some(ended));
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    fn find(&self, id: i64) -> rusqlite::Result<Option<String>> {
        let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sql = "SELECT name FROM pets WHERE id = ?";
        connection.query_row(sql, [id], |row| row.get(0)).optional()
    }
}

/// A statement has ended, on the thread that ran it.
fn ended(event: TraceEvent<'_>) {
    if let TraceEvent::Profile(statement, duration) = event {
        apm_agent::span_db_ended("sqlite", Some("pets.db"), &statement.sql(), duration);
    }
}

/// The routes of pets.
pub fn routes(pets: Pets) -> Router {
    Router::new()
        .route("/pets/{id}", get(find))
        .with_state(pets)
}

async fn find(State(pets): State<Pets>, Path(id): Path<i64>) -> Result<String, StatusCode> {
    // Takes the request along to the blocking pool.
    let context = Context::current();
    let found = tokio::task::spawn_blocking(move || context.run(|| pets.find(id)));
    match found.await {
        Ok(Ok(found)) => found.ok_or(StatusCode::NOT_FOUND),
        Ok(Err(error)) => {
            apm_agent::capture_error(&error);
            Err(StatusCode::INTERNAL_SERVER_ERROR)
        }
        Err(_) => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}
