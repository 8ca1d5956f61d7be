//! The traces behind a chart: sampled transactions, newest first.

use apm_store::id::{Identifier, StoredId};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use schemars::JsonSchema;
use serde::Serialize;

use super::members::Members;
use super::newest::{Timed, newest};
use super::sql::Sql;
use super::window::Window;
use super::{Scope, outcome};

/// The pager holds no more than these.
pub const LIMIT: i64 = 500;

/// The brushed durations `[min, max)`, µs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Durations {
    /// Shortest.
    pub min: i64,
    /// First that is too long.
    pub max: i64,
}

impl Default for Durations {
    fn default() -> Self {
        Self {
            min: i64::MIN,
            max: i64::MAX,
        }
    }
}

/// One transaction whose trace can be shown.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
#[schemars(rename = "TransactionSample")]
pub struct Sample {
    /// The event's number.
    pub seq: i64,
    /// µs since the epoch.
    pub timestamp: i64,
    /// µs.
    pub duration: i64,
    /// `trace.id`
    pub trace_id: String,
    /// `transaction.id`
    pub id: String,
    /// `success`, `failure` or `unknown`.
    pub outcome: &'static str,
    /// `transaction.result`, may be empty.
    pub result: String,
    /// `service.name`
    pub service: String,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = BigInt)]
    ts: i64,
    #[diesel(sql_type = BigInt)]
    duration: i64,
    #[diesel(sql_type = Identifier)]
    trace_id: StoredId,
    #[diesel(sql_type = Identifier)]
    id: StoredId,
    #[diesel(sql_type = BigInt)]
    outcome: i64,
    #[diesel(sql_type = Text)]
    result: String,
    #[diesel(sql_type = Text)]
    service: String,
}

impl Timed for Row {
    fn at(&self) -> (i64, i64) {
        (self.ts, self.seq)
    }
}

/// Samples of whatever the scope holds.
///
/// # Errors
/// Those of SQLite.
pub fn list(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
    durations: Durations,
    limit: i64,
) -> QueryResult<Vec<Sample>> {
    let groups = Sql::new(include_str!("latency/members.sql"));
    let groups = Members::read(conn, &window.bind(scope.bind(groups)))?;
    let groups: Vec<i64> = groups.ids().collect();
    let bound = (window.range.from, limit.clamp(0, LIMIT));
    let rows: Vec<Row> = newest(conn, &groups, bound, || {
        window
            .bind(scope.bind(Sql::new(include_str!("samples/group.sql"))))
            .bind("min_us", durations.min)
            .bind("max_us", durations.max)
    })?;
    Ok(rows
        .into_iter()
        .map(|row| Sample {
            seq: row.seq,
            timestamp: row.ts,
            duration: row.duration,
            trace_id: row.trace_id.to_string(),
            id: row.id.to_string(),
            outcome: outcome(row.outcome).as_str(),
            result: row.result,
            service: row.service,
        })
        .collect())
}
