//! Requests that were read one by one, for questions that rollups cannot answer.
//!
//! Rollups know minutes, and of a request its service, environment, type, name, result and outcome. A query on any
//! other field is answered by a search of the documents ([`matching`]), and a chart of a short window by the rows of
//! its groups ([`short`]). A [`Scope`] that carries such requests has lists and charts counted from them: each function
//! that sums rollups takes the requests of its [`Members`](super::members::Members) instead.

use std::sync::Arc;
use std::time::{Duration, Instant};

use apm_store::StoreError;
use apm_store::event::Kind;
use apm_store::rollup::weight;
use apm_time::{Range, SECOND};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Nullable};

use super::cache::{Slice, Table};
use super::discover::{self, Limits, Request};
use super::filter::{self, List};
use super::latency;
use super::members::Members;
use super::sql::Sql;
use super::totals::{self, Total};
use super::window::Window;
use super::{Scope, correlations};

/// Requests that are counted one by one, of each window; beyond, the older ones are left out.
pub(crate) const MOST: usize = 100_000;
/// Time for the search of a window, and for that of the one that it is compared with.
const DEADLINE: Duration = Duration::from_secs(2);
const DEADLINE_BEFORE: Duration = Duration::from_secs(1);

/// The longest window whose chart is made of requests, and the most requests of it.
const SHORT: i64 = 3_600 * SECOND;
const MOST_SHORT: i64 = 30_000;

/// One request.
#[derive(Debug, Clone, Copy, PartialEq, QueryableByName)]
pub(super) struct Row {
    /// The transaction group.
    #[diesel(sql_type = BigInt)]
    pub(super) group_id: i64,
    /// µs
    #[diesel(sql_type = BigInt)]
    ts: i64,
    /// µs
    #[diesel(sql_type = BigInt)]
    pub(super) duration: i64,
    #[diesel(sql_type = BigInt)]
    outcome: i64,
    #[diesel(sql_type = Nullable<Double>)]
    sample_rate: Option<f64>,
    /// 0 for none.
    #[diesel(sql_type = BigInt)]
    pub(super) result: i64,
}

impl Row {
    /// The number of requests that it stands for.
    pub(super) fn weight(&self) -> f64 {
        weight(self.sample_rate)
    }

    /// It as a sum of one.
    pub(super) fn total(&self) -> Total {
        let count = self.weight();
        let of = |outcome: i64| if self.outcome == outcome { count } else { 0.0 };
        Total {
            count,
            n: 1,
            sum: count * self.duration as f64,
            max: self.duration,
            failures: of(0),
            successes: of(1),
        }
    }
}

/// Requests of a scope, in order of time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scanned {
    rows: Vec<Row>,
    /// Their numbers as JSON; nothing where all requests of the groups are among them.
    seqs: Option<String>,
}

impl Scanned {
    fn new(mut rows: Vec<Row>, seqs: Option<String>) -> Self {
        rows.retain(|row| row.weight() > 0.0);
        rows.sort_by_key(|row| row.ts);
        Self { rows, seqs }
    }

    /// The requests of some slices of a window, each with the start of its bucket of `interval` seconds; 0 without.
    pub(super) fn within(
        &self,
        slices: &[Slice],
        interval: Option<i64>,
    ) -> impl Iterator<Item = (i64, &Row)> {
        let from = slices.first().map_or(0, |slice| slice.1);
        let to = slices.last().map_or(0, |slice| slice.2);
        let place = |second: i64| self.rows.partition_point(|row| row.ts < second * SECOND);
        let rows = &self.rows[place(from)..place(to).max(place(from))];
        rows.iter().map(move |row| {
            let start = |width: i64| row.ts.div_euclid(SECOND * width) * width;
            (interval.map_or(0, start), row)
        })
    }

    /// Narrows a text that reads requests to these.
    pub(super) fn apply(&self, sql: Sql) -> Sql {
        const MARKER: &str = "TRUE -- requests: t";
        match &self.seqs {
            Some(seqs) if sql.text().contains(MARKER) => sql
                .replace(MARKER, "t.seq IN (SELECT value FROM json_each(:requests))")
                .bind("requests", seqs.as_str()),
            _ => sql,
        }
    }
}

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
    let (mut seqs, reached) = search(conn, scope, window.range, DEADLINE)?;
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
        let (more, reached) = search(conn, scope, before.range, DEADLINE_BEFORE)?;
        if reached <= before.range.from {
            seqs.extend(more);
            compared = Some(before.clone());
        }
    }
    let seqs = serde_json::to_string(&seqs).unwrap_or_default();
    let rows: Vec<Row> = Sql::new(include_str!("scanned/requests.sql"))
        .bind("requests", seqs.as_str())
        .load(conn)?;
    Ok(Some(Matching {
        scope: Scope {
            scanned: Some(Arc::new(Scanned::new(rows, Some(seqs)))),
            ..scope.clone()
        },
        window,
        before: compared,
        requests,
        complete,
    }))
}

/// The numbers of the requests that match, and the time back to which all were looked at, µs.
fn search(
    conn: &mut SqliteConnection,
    scope: &Scope,
    range: Range,
    deadline: Duration,
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
        limits: Limits { deadline },
    };
    let request = request.within(all.service.as_deref(), all.environment.as_deref());
    let deadline = Instant::now() + deadline;
    let (mut places, mut reached) =
        discover::places(conn, &request, &[Kind::Transaction], deadline, MOST)?;
    places.sort_unstable_by(|a, b| b.cmp(a));
    if let Some((ts, _)) = places.get(MOST) {
        reached = reached.max(ts + 1);
    }
    places.retain(|(ts, _)| *ts >= reached);
    Ok((places.into_iter().map(|(_, seq)| seq).collect(), reached))
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
    if window.widened || window.range.micros() > SHORT + 60 * SECOND {
        return Ok(None);
    }
    let fine = window.finer();
    if scope.scanned.is_some() {
        return Ok(Some((scope.clone(), fine)));
    }
    let members = latency::members(conn, scope, window)?;
    let sums = totals::of_window(conn, Table::Transactions, &members, &window.slices())?;
    let stored = sums.first().map_or(0, |sum| sum.total.n);
    if stored == 0 || stored > MOST_SHORT {
        return Ok(None);
    }
    let ids = serde_json::to_string(&sums[0].ids).unwrap_or_default();
    let rows: Vec<Row> = window
        .bind(Sql::new(include_str!("scanned/groups.sql")))
        .bind("ids", ids)
        .load(conn)?;
    let scanned = Scanned::new(rows, None);
    // Rows go before rollups do.
    if (scanned.rows.len() as i64) < stored {
        return Ok(None);
    }
    let scope = Scope {
        scanned: Some(Arc::new(scanned)),
        ..scope.clone()
    };
    Ok(Some((scope, fine)))
}

/// The requests that members are counted from; nothing where rollups are.
pub(super) fn requests_of(table: Table, members: &Members) -> Option<&Scanned> {
    (table == Table::Transactions)
        .then(|| members.scanned())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ts: i64, sample_rate: Option<f64>, outcome: i64) -> Row {
        Row {
            group_id: 1,
            ts,
            duration: 10,
            outcome,
            sample_rate,
            result: 0,
        }
    }

    #[test]
    fn requests_are_dealt_to_buckets_of_any_width() {
        let rows = vec![
            row(75 * SECOND, None, 1),
            row(60 * SECOND, None, 1),
            row(119 * SECOND, Some(0.0), 1),
            row(120 * SECOND, None, 1),
            row(59 * SECOND, None, 1),
        ];
        let scanned = Scanned::new(rows, None);
        let starts = |interval| -> Vec<i64> {
            let slices = [(60, 60, 120)];
            scanned
                .within(&slices, interval)
                .map(|(at, _)| at)
                .collect()
        };
        assert_eq!(
            starts(Some(10)),
            [60, 70],
            "one of no weight counts nothing"
        );
        assert_eq!(starts(None), [0, 0]);
        assert_eq!(scanned.within(&[], None).count(), 0);
    }

    #[test]
    fn a_request_stands_for_those_that_were_not_sampled() {
        let total = row(0, Some(0.25), 0).total();
        assert_eq!((total.count, total.n, total.sum), (4.0, 1, 40.0));
        assert_eq!((total.failures, total.successes), (4.0, 0.0));
    }

    #[test]
    fn only_texts_that_read_requests_are_narrowed() {
        let scanned = Scanned::new(Vec::new(), Some("[1]".to_owned()));
        let text = "SELECT 1 FROM tx t WHERE t.seq > 0 AND TRUE -- requests: t";
        assert_eq!(
            scanned.apply(Sql::new(text)).shell(),
            "SELECT 1 FROM tx t WHERE t.seq > 0 AND t.seq IN (SELECT value FROM json_each('[1]'))"
        );
        assert_eq!(scanned.apply(Sql::new("SELECT 1")), Sql::new("SELECT 1"));
    }
}
