//! One trace out of the database, arranged on its timeline.
//!
//! Only columns are read; what an item carries besides (stack trace, headers, statement text) is in its document, read
//! when someone opens it.

mod arrange;
mod cache;

use std::collections::HashMap;
use std::sync::Arc;

use apm_store::StoreError;
use apm_store::id::{Identifier, StoredId};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};
use kql::pasted::{Part, readings};

use self::arrange::Reading;
use super::Trace;
use super::item::{Item, TraceError, TraceLog};
use super::{moments, names};
use crate::analytics::sql::Sql;

use super::errors::{ErrorRow, LogRow};

/// Items that are read of one trace. With more of them, spans are left out: transactions are read first, and spans in
/// the order of their arrival, but that those of kept traces come first.
pub const MOST_ITEMS: usize = 500_000;
/// Errors that are read of one trace.
pub const MOST_ERRORS: usize = 5_000;
/// Log lines that are read of one trace.
pub const MOST_LOGS: usize = 5_000;
/// Inferred spans of which it is read what they adopt: their documents have to be unpacked.
const MOST_INFERRED: usize = 2_000;

/// The query behind its transactions.
#[must_use]
pub fn transactions_sql(id: &str) -> Sql {
    limited(include_str!("transactions.sql"), id, MOST_ITEMS)
}

/// The query behind its spans.
#[must_use]
pub fn spans_sql(id: &str) -> Sql {
    limited(include_str!("spans.sql"), id, MOST_ITEMS)
}

/// The query behind its errors.
pub(crate) fn errors_sql(id: &str) -> Sql {
    limited(include_str!("errors.sql"), id, MOST_ERRORS)
}

/// The query behind its log lines.
pub(crate) fn logs_sql(id: &str) -> Sql {
    limited(include_str!("logs.sql"), id, MOST_LOGS)
}

/// The query behind times that cannot be.
pub(crate) fn sent_sql(id: &str) -> Sql {
    bound(include_str!("sent.sql"), id)
}

/// The query behind the blocks that it is in.
#[cfg(test)]
pub(crate) fn places_sql(id: &str) -> Sql {
    bound(include_str!("places.sql"), id)
}

/// One more than are read says that there are more.
fn limited(text: &'static str, id: &str, most: usize) -> Sql {
    bound(text, id).bind("most", most as i64 + 1)
}

fn bound(text: &'static str, id: &str) -> Sql {
    let id = StoredId::from(id);
    Sql::new(text)
        .bind("bits", id.trace_bits())
        .bind("trace", &id)
}

/// Reads the trace whose id was pasted in one way or another ([`kql::pasted`]); nothing where none of its events is
/// there.
///
/// # Errors
/// Those of SQLite, and of documents that cannot be read.
pub fn pasted(conn: &mut SqliteConnection, text: &str) -> Result<Option<Arc<Trace>>, StoreError> {
    for id in readings(text, Part::Trace) {
        if let Some(trace) = trace(conn, &id)? {
            return Ok(Some(trace));
        }
    }
    Ok(None)
}

/// Reads a trace; nothing where none of its events is there.
///
/// # Errors
/// Those of SQLite, and of documents that cannot be read.
pub fn trace(conn: &mut SqliteConnection, id: &str) -> Result<Option<Arc<Trace>>, StoreError> {
    cache::trace(conn, id)
}

/// The texts of the statements of some items, by the numbers of their rows.
///
/// # Errors
/// Those of SQLite.
pub fn statements<'a>(
    conn: &mut SqliteConnection,
    items: impl IntoIterator<Item = &'a Item>,
) -> Result<HashMap<i64, String>, StoreError> {
    let ids = items.into_iter().filter_map(|item| item.what.statement);
    Ok(names::statements(conn, ids)?)
}

/// Ids that an item names, as they were sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// `parent.id`
    pub parent: Option<String>,
    /// `transaction.id`
    pub transaction: Option<String>,
}

/// Parent and transaction that some items name, as they were sent, by the numbers of the events.
///
/// # Errors
/// Those of SQLite.
pub fn named(
    conn: &mut SqliteConnection,
    items: &[Item],
) -> Result<HashMap<i64, Named>, StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        seq: i64,
        #[diesel(sql_type = Nullable<Identifier>)]
        parent_id: Option<StoredId>,
        #[diesel(sql_type = Nullable<Identifier>)]
        transaction_id: Option<StoredId>,
    }
    let seqs: Vec<i64> = items.iter().map(|item| item.seq).collect();
    let seqs = serde_json::to_string(&seqs).unwrap_or_default();
    let sql = Sql::new(include_str!("named.sql")).bind("seqs", seqs);
    let text = |id: Option<StoredId>| id.map(|id| id.to_string());
    let rows: Vec<Row> = sql.load(conn)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let named = Named {
                parent: text(row.parent_id),
                transaction: text(row.transaction_id),
            };
            (row.seq, named)
        })
        .collect())
}

/// Reads a trace, whether or not it is kept.
fn fresh(conn: &mut SqliteConnection, id: &str) -> Result<Option<Trace>, StoreError> {
    let mut reading = Reading::default();
    // Transactions come first: where there is no room for all, spans are left out.
    reading.items(conn, &transactions_sql(id), true)?;
    reading.items(conn, &spans_sql(id), false)?;
    let errors: Vec<ErrorRow> = errors_sql(id).load(conn)?;
    let logs: Vec<LogRow> = logs_sql(id).load(conn)?;
    if reading.raw.is_empty() && errors.is_empty() && logs.is_empty() {
        return Ok(None);
    }
    reading.sent(conn, &sent_sql(id))?;
    let is_cut = reading.is_cut || errors.len() > MOST_ERRORS || logs.len() > MOST_LOGS;
    let errors = errors.into_iter().take(MOST_ERRORS);
    let logs = logs.into_iter().take(MOST_LOGS);
    let mut trace = Trace {
        id: id.to_owned(),
        errors: errors.map(TraceError::from).collect(),
        logs: logs.map(TraceLog::from).collect(),
        is_cut,
        ..Trace::default()
    };
    reading.arrange(conn, &mut trace)?;
    trace.moments = moments::read(conn, &trace)?;
    Ok(Some(trace))
}
