//! Answers about requests under a query of any field: rollups know few fields, so the requests are read.

use apm_store::kept;
use diesel::SqliteConnection;
use schemars::JsonSchema;
use serde::Serialize;

use super::Problem;
use super::period::Period;
use crate::analytics::Scope;
use crate::analytics::matching;

/// The requests that an answer was counted from, one by one.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Scan {
    /// Requests of the range that match the query.
    pub(crate) requests: u64,
    /// Whether all of the range was looked at. If not, the answer is about its end alone, from `from` on.
    pub(crate) complete: bool,
    /// When the oldest events arrived of which all are there, seconds since the epoch: for the time before, the answer
    /// is an estimate from kept traces and samples. Null where all of the range is there.
    pub(crate) whole_since: Option<i64>,
    /// Start of what the answer is about, seconds since the epoch.
    pub(crate) from: i64,
    /// Whether the earlier window was looked at as a whole; false also where none was asked for.
    pub(crate) compared: bool,
}

/// Scope and period of an answer about requests, and what was read for it: nothing where rollups know all fields of the
/// query.
pub(crate) fn read(
    conn: &mut SqliteConnection,
    scope: &Scope,
    period: Period,
) -> Result<(Scope, Period, Option<Scan>), Problem> {
    let found = matching::matching(conn, scope, &period.window, period.before.as_ref())?;
    let Some(found) = found else {
        return Ok((scope.clone(), period, None));
    };
    let from = found.window.range.from / apm_time::SECOND;
    let scan = Scan {
        requests: found.requests,
        complete: found.complete,
        whole_since: kept::whole_since(conn)?.filter(|since| *since > from),
        from,
        compared: found.before.is_some(),
    };
    let period = Period {
        window: found.window,
        before: found.before,
    };
    Ok((found.scope, period, Some(scan)))
}
