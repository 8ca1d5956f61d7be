//! Publishes the states of error groups to other servers before one engine.

use apm_store::share;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Change;
use super::row::Row;

/// The kind of a shared document.
pub(super) const KIND: &str = "error";

/// The state of a group.
#[derive(Serialize, Deserialize)]
pub(super) struct State {
    /// Nothing where nobody decided anything.
    pub(super) row: Option<Row>,
    /// The change that somebody made; nothing where it ended by itself, or where a change is about several groups.
    pub(super) change: Option<Change>,
}

/// Publishes the state that a group has now.
pub(super) fn publish(
    conn: &mut SqliteConnection,
    service: &str,
    key: i64,
    change: Option<&Change>,
) -> QueryResult<()> {
    let state = State {
        row: Row::find(conn, service, key)?,
        change: change.cloned(),
    };
    let body = serde_json::to_string(&state)
        .map_err(|error| diesel::result::Error::SerializationError(error.into()))?;
    let key = json!([service, format!("{key:016x}")]).to_string();
    share::publish(conn, KIND, &key, Some(&body), apm_time::now())
}
