//! One error group: its occurrences over time, its samples, and which transactions it hit.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use schemars::JsonSchema;
use serde::Serialize;

use super::Scope;
use super::errors::{self, ErrorGroup};
use super::series::Axis;
use super::sql::Sql;
use super::window::Window;

/// One occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, QueryableByName)]
#[schemars(rename = "ErrorSample")]
pub struct Sample {
    /// The event's number.
    #[diesel(sql_type = BigInt)]
    pub seq: i64,
    /// When, µs since the epoch.
    #[diesel(sql_type = BigInt, column_name = "ts")]
    pub timestamp: i64,
}

/// A transaction group in which it happened.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, QueryableByName)]
pub struct Affected {
    /// `transaction.type`
    #[diesel(sql_type = Text, column_name = "type")]
    #[serde(rename = "type")]
    pub kind: String,
    /// `transaction.name`
    #[diesel(sql_type = Text)]
    pub name: String,
    /// Occurrences, of the newest 1000.
    #[diesel(sql_type = BigInt, column_name = "n")]
    pub occurrences: i64,
}

/// One group.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Detail {
    /// The group; nothing where it did not happen in the window.
    pub group: Option<ErrorGroup>,
    /// The buckets of its series.
    pub axis: Axis,
    /// Newest first, at most 500.
    pub samples: Vec<Sample>,
    /// Most affected first, at most five.
    pub transactions: Vec<Affected>,
}

/// Reads one group.
///
/// # Errors
/// Those of SQLite.
pub fn detail(
    conn: &mut SqliteConnection,
    scope: &Scope,
    key: u64,
    window: &Window,
) -> QueryResult<Detail> {
    let found = errors::list(conn, scope, Some(key), window)?;
    let bind = |text| window.bind(scope.bind(Sql::new(text)).bind("key", key.cast_signed()));
    Ok(Detail {
        group: found.errors.into_iter().next(),
        axis: found.axis,
        samples: bind(include_str!("error_group/samples.sql")).load(conn)?,
        transactions: bind(include_str!("error_group/transactions.sql")).load(conn)?,
    })
}
