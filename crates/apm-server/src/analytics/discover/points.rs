//! When matching transactions began, how long they took, and whether they failed: one after the other, for as long as
//! there is time.

use apm_store::StoreError;
use apm_store::event::Kind;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};

use super::Request;
use super::blocks::runs;
use super::walk::{Search, bound};
use crate::analytics::sql::Sql;

/// Blocks whose rows are read before the clock is looked at: some ten milliseconds.
const BLOCKS: usize = 128;

/// A transaction as a dot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, QueryableByName)]
pub(crate) struct Point {
    /// When it began, µs since the epoch.
    #[diesel(sql_type = BigInt)]
    pub(crate) ts: i64,
    /// The event's number.
    #[diesel(sql_type = BigInt)]
    pub(crate) seq: i64,
    /// µs.
    #[diesel(sql_type = BigInt)]
    pub(crate) duration: i64,
    #[diesel(sql_type = Bool)]
    pub(crate) failed: bool,
}

/// Calls `each` for every matching transaction, the newest blocks first; whether those were all.
///
/// # Errors
/// Those of SQLite, and of documents that cannot be read.
pub(crate) fn each(
    conn: &mut SqliteConnection,
    request: &Request,
    each: &mut dyn FnMut(Point),
) -> Result<bool, StoreError> {
    let columns = "r.ts, r.seq, r.duration, r.outcome = 0 AS failed";
    if let Some(complete) = rows(conn, request, columns, &mut *each)? {
        return Ok(complete);
    }
    let search = Search::for_kinds(request, &[Kind::Transaction]);
    let deadline = request.limits.begin();
    let read = search.read_all(conn, 0, &deadline, &mut |(ts, seq), document| {
        let number = |path: &str| document.pointer(path).and_then(serde_json::Value::as_i64);
        let outcome = document.pointer("/event/outcome");
        each(Point {
            ts,
            seq,
            duration: number("/transaction/duration/us").unwrap_or_default(),
            failed: outcome.is_some_and(|outcome| outcome == "failure"),
        });
    })?;
    Ok(read.complete)
}

/// Calls `each` for the row of every matching transaction, the newest blocks first; whether those were all. Nothing
/// where the columns do not decide which match. `columns`: SQL about the row `r`.
///
/// # Errors
/// Those of SQLite.
pub(crate) fn rows<T>(
    conn: &mut SqliteConnection,
    request: &Request,
    columns: &str,
    mut each: impl FnMut(T),
) -> Result<Option<bool>, StoreError>
where
    T: QueryableByName<diesel::sqlite::Sqlite> + 'static,
{
    let search = Search::for_kinds(request, &[Kind::Transaction]);
    let deadline = request.limits.begin();
    let [(_, condition)] = &*search.parts else {
        return Ok(Some(true));
    };
    if !condition.exact {
        return Ok(None);
    }
    let text = format!(
        "SELECT {columns}\n\
         FROM json_each(:runs) run\n\
         CROSS JOIN tx r NOT INDEXED ON r.seq >= (run.value ->> 0) * 128 AND r.seq < (run.value ->> 1) * 128\n\
         WHERE r.ts >= :from AND r.ts < :to\n  AND {}",
        condition.sql(),
    );
    let mut left = search.blocks(conn, request.range)?;
    let mut looked_at = 0;
    loop {
        let blocks = left.next(conn, BLOCKS)?;
        if blocks.is_empty() {
            return Ok(Some(true));
        }
        if !deadline.allows_more(looked_at, 1) {
            return Ok(Some(false));
        }
        looked_at += blocks.len();
        let sql = Sql::new(text.clone()).bind("runs", runs(&blocks));
        bound(sql, request.range, condition).each(conn, &mut each)?;
    }
}
