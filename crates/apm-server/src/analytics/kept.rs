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

#[derive(QueryableByName)]
struct Hour {
    #[diesel(sql_type = BigInt)]
    hour: i64,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// The number of rows that [`list`] has for some reasons: a trace has one for each thing that it is kept for.
///
/// # Errors
/// Those of SQLite.
pub fn number(conn: &mut SqliteConnection, reasons: &[Reason]) -> QueryResult<usize> {
    let mut number = 0;
    for reason in reasons {
        let sql = Sql::new("SELECT count(*) AS number FROM kept_for WHERE reason = :reason");
        let found: Number = sql.bind("reason", i64::from(reason.code())).first(conn)?;
        number += usize::try_from(found.number).unwrap_or(0);
    }
    Ok(number)
}

/// The traces that are kept for some reasons, those of the newest hours first: `most` of them, after the `first` ones.
///
/// # Errors
/// Those of SQLite.
pub fn list(
    conn: &mut SqliteConnection,
    reasons: &[Reason],
    first: usize,
    most: usize,
) -> QueryResult<Vec<KeptTrace>> {
    let end = first.saturating_add(most);
    // Each reason has an order of its own. Their hours tell which stretch of each is on this page.
    let mut hours: Vec<(i64, Reason)> = Vec::new();
    for reason in reasons {
        let sql = Sql::new(include_str!("kept_hours.sql"))
            .bind("reason", i64::from(reason.code()))
            .bind("limit", whole(end));
        let rows: Vec<Hour> = sql.load(conn)?;
        hours.extend(rows.into_iter().map(|row| (row.hour, *reason)));
    }
    hours.sort_rows_by_key(|(hour, _)| std::cmp::Reverse(*hour));
    hours.truncate(end);
    let (before, page) = hours.split_at(first.min(hours.len()));
    let mut found = Vec::new();
    for reason in reasons {
        let of = |rows: &[(i64, Reason)]| rows.iter().filter(|(_, of)| of == reason).count();
        let sql = Sql::new(include_str!("kept.sql"))
            .bind("reason", i64::from(reason.code()))
            .bind("first", whole(of(before)))
            .bind("limit", whole(of(page)));
        let rows: Vec<Row> = sql.load(conn)?;
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
    Ok(found)
}

fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
