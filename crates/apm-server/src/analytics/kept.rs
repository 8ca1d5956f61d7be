//! Traces that retention keeps beyond the newest events.

use apm_store::id::{Identifier, StoredId};
use apm_store::kept::Reason;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use schemars::JsonSchema;
use serde::Serialize;

use super::sql::Sql;
use crate::sort_rows::SortRows as _;

/// A trace that is kept.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize)]
pub struct KeptTrace {
    /// `trace.id`; the id of an error that has no trace.
    pub trace: String,
    /// Why it is kept: `pinned`, `error`, `failure`, `slowest` or `sample`.
    pub reason: &'static str,
    /// The hour of the event that it is kept for, or when it was pinned, seconds since 1970.
    pub time: i64,
    /// `service.name`, may be empty.
    pub service: String,
    /// The name of its transaction, the message of its error, or the statement that it is kept for; may be empty.
    pub subject: String,
    /// Events of it that have outlived those around them; 0 while all are there.
    pub events: i64,
    /// Bytes that these take, roughly.
    pub bytes: i64,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Identifier)]
    trace_id: StoredId,
    #[diesel(sql_type = BigInt)]
    hour: i64,
    #[diesel(sql_type = BigInt)]
    events: i64,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
    #[diesel(sql_type = Text)]
    service: String,
    #[diesel(sql_type = Text)]
    subject: String,
}

/// The query behind it.
#[must_use]
pub fn sql(reason: Reason, limit: i64) -> Sql {
    Sql::new(include_str!("kept.sql"))
        .bind("reason", i64::from(reason.code()))
        .bind("limit", limit)
}

/// The traces that are kept for some reasons, those of the newest hours first.
///
/// # Errors
/// Those of SQLite.
pub fn list(
    conn: &mut SqliteConnection,
    reasons: &[Reason],
    limit: i64,
) -> QueryResult<Vec<KeptTrace>> {
    let mut found = Vec::new();
    for reason in reasons {
        let rows: Vec<Row> = sql(*reason, limit).load(conn)?;
        found.extend(rows.into_iter().map(|row| KeptTrace {
            trace: row.trace_id.to_string(),
            reason: reason.as_str(),
            time: row.hour,
            service: row.service,
            subject: row.subject,
            events: row.events,
            bytes: row.bytes,
        }));
    }
    found.sort_rows_by_key(|trace| std::cmp::Reverse(trace.time));
    found.truncate(usize::try_from(limit).unwrap_or_default());
    Ok(found)
}
