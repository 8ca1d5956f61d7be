//! People in SQLite, asked by sqlx. Nothing here knows of the agent: sqlx tells `tracing` of each query.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use sqlx::SqlitePool;
use sqlx::sqlite::SqlitePoolOptions;

/// The people.
#[derive(Clone, Debug)]
pub struct People(SqlitePool);

impl People {
    /// A table in memory, with Ada in it.
    ///
    /// # Errors
    /// Those of SQLite.
    pub async fn open() -> sqlx::Result<Self> {
        // Each connection to memory has a database of its own.
        let pool = SqlitePoolOptions::new().max_connections(1);
        let pool = pool.connect("sqlite::memory:").await?;
        sqlx::query("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
            .execute(&pool)
            .await?;
        sqlx::query("INSERT INTO people (name) VALUES (?)")
            .bind("Ada")
            .execute(&pool)
            .await?;
        Ok(Self(pool))
    }
}

/// The routes of people.
pub fn routes(people: People) -> Router {
    Router::new()
        .route("/people/{id}", get(find))
        .route("/people", post(add))
        .with_state(people)
}

async fn find(State(people): State<People>, Path(id): Path<i64>) -> Result<String, StatusCode> {
    let found = sqlx::query_scalar("SELECT name FROM people WHERE id = ?")
        .bind(id)
        .fetch_optional(&people.0)
        .await
        .map_err(failed)?;
    found.ok_or(StatusCode::NOT_FOUND)
}

async fn add(State(people): State<People>, name: String) -> Result<StatusCode, StatusCode> {
    sqlx::query("INSERT INTO people (name) VALUES (?)")
        .bind(name)
        .execute(&people.0)
        .await
        .map_err(failed)?;
    Ok(StatusCode::CREATED)
}

fn failed(error: sqlx::Error) -> StatusCode {
    apm_agent::capture_error(&error);
    StatusCode::INTERNAL_SERVER_ERROR
}
