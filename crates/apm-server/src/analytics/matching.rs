//! A search for the requests that a query asks for, where rollups do not know the fields that it names.

use std::sync::Arc;
use std::time::Duration;

use apm_store::StoreError;
use apm_store::event::Kind;
use apm_time::{Range, SECOND};
use diesel::prelude::*;

use super::deadline::Deadline;
use super::discover::{self, Limits, Request};
use super::filter::{self, List};
use super::scanned::{Row, Scanned};
use super::sql::Sql;
use super::window::Window;
use super::{Scope, correlations};

/// Requests that are counted one by one, of each window; beyond, the older ones are left out.
pub(crate) const MOST: usize = 100_000;
/// Requests that the question names, as a page shows it.
const TOLD: usize = 200;
/// Time for the search of a window and for that of the one that it is compared with, together.
const DEADLINE: Duration = apm_store::SEARCH_TIME;

/// The result of a search for the requests that a query asks for.
#[derive(Debug)]
pub(crate) struct Matching {
    /// The scope with its requests.
    pub(crate) scope: Scope,
    /// The window, as far as all of its requests were looked at.
    pub(crate) window: Window,
    /// The earlier one; nothing where not all of it was.
    pub(crate) before: Option<Window>,
    /// Requests in the window that match.
    pub(crate) requests: u64,
    /// Whether all of the window was looked at.
    pub(crate) complete: bool,
}

/// Searches the requests of a scope, where rollups do not know the fields that its query names.
///
/// # Errors
/// Those of SQLite, and of documents that cannot be read.
pub(crate) fn matching(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
    before: Option<&Window>,
) -> Result<Option<Matching>, StoreError> {
    let is_known = |query| filter::check(query, List::Transactions).is_ok();
    if scope.query.as_ref().is_none_or(is_known) {
        return Ok(None);
    }
    let deadline = Deadline::after(DEADLINE);
    // The rest is for counting what was found, and for the window before.
    let (mut seqs, reached) = search(conn, scope, window.range, &deadline.part(0.75))?;
    let requests = seqs.len() as u64;
    let complete = reached <= window.range.from;
    // The answer begins where the search ended, with a whole minute.
    let window = match complete {
        true => window.clone(),
        false => {
            let minute = 60 * SECOND;
            let from = (reached + minute - 1).div_euclid(minute) * minute;
            let from = from.min(window.range.to - minute);
            let range = Range {
                from,
                ..window.range
            };
            Window::new(range, window.now)
        }
    };
    let mut compared = None;
    if let Some(before) = before.filter(|_| complete) {
        let (more, reached) = search(conn, scope, before.range, &deadline)?;
        if reached <= before.range.from {
            seqs.extend(more);
            compared = Some(before.clone());
        }
    }
    let (told, seqs) = (told(&seqs), json(&seqs));
    let rows: Vec<Row> = of_requests(&seqs).load(conn)?;
    Ok(Some(Matching {
        scope: Scope {
            scanned: Some(Arc::new(Scanned::new(rows, Some(seqs), told))),
            ..scope.clone()
        },
        window,
        before: compared,
        requests,
        complete,
    }))
}

/// The requests of some numbers.
fn of_requests(seqs: &str) -> Sql {
    Sql::new(include_str!("matching/requests.sql")).bind("requests", seqs)
}

fn json(seqs: &[i64]) -> String {
    serde_json::to_string(seqs).unwrap_or_default()
}

/// The question as it is told. Of many requests it names the newest, because a page shows it at each of its charts.
fn told(seqs: &[i64]) -> String {
    match seqs.get(..TOLD) {
        Some(newest) if seqs.len() > TOLD => format!(
            "-- The filter matches {} requests. These are the newest {TOLD}.\n{}",
            seqs.len(),
            of_requests(&json(newest)).shell()
        ),
        _ => of_requests(&json(seqs)).shell(),
    }
}

/// The numbers of the requests that match, and the time back to which all were looked at, µs.
fn search(
    conn: &mut SqliteConnection,
    scope: &Scope,
    range: Range,
    deadline: &Deadline,
) -> Result<(Vec<i64>, i64), StoreError> {
    // Of all types and names: what a page says of one group, it says beside the others.
    let all = Scope {
        transaction_type: None,
        transaction_name: None,
        ..scope.clone()
    };
    let request = Request {
        query: discover::all_of([all.chosen.query(), correlations::query(&all)]),
        range,
        size: 0,
        after: None,
        limits: Limits::default(),
    };
    let request = request.within(all.service.as_deref(), all.environment.as_deref());
    let (mut places, mut reached) =
        discover::places(conn, &request, &[Kind::Transaction], deadline, MOST)?;
    places.sort_unstable_by(|a, b| b.cmp(a));
    if let Some((ts, _)) = places.get(MOST) {
        reached = reached.max(ts + 1);
    }
    places.retain(|(ts, _)| *ts >= reached);
    Ok((places.into_iter().map(|(_, seq)| seq).collect(), reached))
}
