//! The requests behind the chart of a short window.

use std::sync::Arc;

use apm_time::SECOND;
use diesel::prelude::*;

use super::Scope;
use super::cache::Table;
use super::scanned::{Row, Scanned};
use super::sql::Sql;
use super::window::Window;
use super::{latency, totals};

/// The longest window whose chart is made of events, and the most events of it.
const SHORT: i64 = 3_600 * SECOND;
const MOST: i64 = 30_000;

/// True if a chart of the window may be made of events.
pub(super) fn is_short(window: &Window) -> bool {
    !window.widened && window.range.micros() <= SHORT + 60 * SECOND
}

/// True if a chart may be made of so many events: there are some, and not too many to be read for it.
pub(super) fn are_few(stored: i64) -> bool {
    (1..=MOST).contains(&stored)
}

/// The chart of a short window in buckets of some seconds: the scope with its requests, and the window. Nothing where
/// the window is long, has many requests, or some of them are gone.
///
/// # Errors
/// Those of SQLite.
pub(crate) fn short(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
) -> QueryResult<Option<(Scope, Window)>> {
    if !is_short(window) {
        return Ok(None);
    }
    let fine = window.finer();
    if scope.scanned.is_some() {
        return Ok(Some((scope.clone(), fine)));
    }
    let members = latency::members(conn, scope, window)?;
    let sums = totals::of_window(conn, Table::Transactions, &members, &window.slices())?;
    let stored = sums.first().map_or(0, |sum| sum.total.n);
    if !are_few(stored) {
        return Ok(None);
    }
    let ids = serde_json::to_string(&sums[0].ids).unwrap_or_default();
    let sql = window
        .bind(Sql::new(include_str!("short/groups.sql")))
        .bind("ids", ids);
    let rows: Vec<Row> = sql.load(conn)?;
    let scanned = Scanned::new(rows, None, sql.shell());
    // Rows go before rollups do.
    if (scanned.len() as i64) < stored {
        return Ok(None);
    }
    let scope = Scope {
        scanned: Some(Arc::new(scanned)),
        ..scope.clone()
    };
    Ok(Some((scope, fine)))
}
