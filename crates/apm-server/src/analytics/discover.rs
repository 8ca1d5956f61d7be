//! Any event by any field: hits newest first, how many there are and when, which values fields have.
//!
//! A query is translated into a condition on the columns of each kind of event. Where that decides
//! (`condition::Condition::exact`) totals are counted in SQL and only the shown documents are
//! read. Where it does not, the documents that are left over are read and tested, newest first, until
//! [`Limits::deadline`]; an answer that stopped there says so.
//!
//! Events are not indexed by time: `block` says which 128 of them span which time, and only the blocks
//! that touch the range are looked at. Over whole minutes, events are counted where their numbers are kept.

mod blocks;
pub(crate) mod columns;
mod count;
mod fields;
mod group;
mod hits;
pub(crate) mod logs;
mod names;
pub(crate) mod points;
mod read;
mod sieve;
#[cfg(test)]
mod tests;
pub(crate) mod traced;
mod walk;

use std::time::Duration;

use apm_store::StoreError;
use apm_store::event::Kind;
use apm_time::{LATEST, Range, SECOND};
use diesel::prelude::*;
use kql::Expr;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

pub use fields::{Field, TopValue, fields};
pub use group::{Group, Groups, group};
pub(crate) use group::{MOST as MOST_GROUPS, group_of};
pub use hits::Hit;
pub use names::names;

use super::deadline::Deadline;
use super::series::Axis;
use super::window;
use crate::source_maps::map_frames;
use group::Tally;
use walk::{Newest, Search};

/// Most hits of one page.
pub const MOST_HITS: usize = 10_000;

/// The event after which the next page goes on, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// µs since the epoch.
    pub timestamp: i64,
    /// The event's number.
    pub seq: i64,
}

impl Cursor {
    /// Reads `<timestamp>,<seq>`, of which neither is negative and the time not after the year 9999.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (timestamp, seq) = text.split_once(',')?;
        let (timestamp, seq): (i64, i64) = (timestamp.parse().ok()?, seq.parse().ok()?);
        let is_time = (0..=LATEST).contains(&timestamp) && seq >= 0;
        is_time.then_some(Self { timestamp, seq })
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{},{}", self.timestamp, self.seq)
    }
}

/// The bounds of a search.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Time after which a search that has to read documents stops: of all searches of one reading together.
    pub deadline: Duration,
}

impl Limits {
    /// The end of a search that begins now.
    fn begin(&self) -> Deadline {
        Deadline::after(self.deadline)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline: apm_store::SEARCH_TIME,
        }
    }
}

/// The question of a search.
#[derive(Debug, Clone)]
pub struct Request {
    /// The query.
    pub query: Expr,
    /// Events of this time, exact to the microsecond.
    pub range: Range,
    /// Number of documents; at most [`MOST_HITS`].
    pub size: usize,
    /// The end of the page before.
    pub after: Option<Cursor>,
    /// The bounds of its work.
    pub limits: Limits,
}

impl Request {
    /// The same of one service and in one environment: `service.name`, `service.environment`.
    #[must_use]
    pub fn within(mut self, service: Option<&str>, environment: Option<&str>) -> Self {
        let narrow = [
            ("service.name", service),
            ("service.environment", environment),
        ];
        for (field, value) in narrow {
            // Our own text, with a value that is escaped: it always parses, and names no time.
            let narrow = value.and_then(|value| kql::parse(&kql::filter(field, value), 0).ok());
            if let Some(narrow) = narrow {
                self.query = all_of([narrow, self.query]);
            }
        }
        self
    }
}

/// The conjunction of some conditions.
pub(crate) fn all_of(parts: impl IntoIterator<Item = Expr>) -> Expr {
    let flat = |part| match part {
        Expr::All => Vec::new(),
        Expr::And(parts) => parts,
        other => vec![other],
    };
    let mut parts: Vec<Expr> = parts.into_iter().flat_map(flat).collect();
    match parts.len() {
        0 => Expr::All,
        1 => parts.remove(0),
        _ => Expr::And(parts),
    }
}

/// A query without the metrics that it would find; nothing where it asks for kinds of events itself.
#[must_use]
pub(crate) fn without_metrics(query: &Expr) -> Option<Expr> {
    if asks_for_kinds(query) {
        return None;
    }
    // Our own text always parses.
    let others = kql::parse("not processor.event: metric", 0).ok()?;
    Some(all_of([query.clone(), others]))
}

fn asks_for_kinds(query: &Expr) -> bool {
    let is_kind = |field: &kql::Field| {
        field.name == "processor.event" || field.name.starts_with("metricset.")
    };
    match query {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().any(asks_for_kinds),
        Expr::Not(inner) => asks_for_kinds(inner),
        Expr::Exists(field) | Expr::Is(field, _) | Expr::Range(field, ..) => is_kind(field),
        Expr::All | Expr::Text(_) => false,
    }
}

/// The result of a search.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Found {
    /// Matching events in the range, on all pages.
    pub total: u64,
    /// Whether that is all: false where the deadline ended the search.
    pub complete: bool,
    /// Newest first; fewer than asked for, or none, where the deadline ended the search before there were more.
    pub hits: Vec<Hit>,
    /// The event after which the next page goes on; nothing where this page was the last.
    #[serde(skip)]
    pub next: Option<Cursor>,
    /// Matching events in each of the axis's buckets.
    pub histogram: Vec<u64>,
    /// The buckets of the histogram.
    pub axis: Axis,
}

/// Searches.
///
/// # Errors
/// Those of SQLite, and of documents that cannot be read.
pub fn search(conn: &mut SqliteConnection, request: &Request) -> Result<Found, StoreError> {
    search_each(conn, request, &mut |_| {})
}

/// Searches, and groups by a field where documents decide what matches: they are read once for both. Where columns
/// decide, there are no groups yet.
///
/// # Errors
/// As [`search`].
pub(crate) fn search_and_group(
    conn: &mut SqliteConnection,
    request: &Request,
    field: Option<&str>,
) -> Result<(Found, Option<Groups>), StoreError> {
    let field = field.filter(|_| !Search::new(request).is_exact());
    let Some(field) = field else {
        return Ok((search(conn, request)?, None));
    };
    let mut tally = Tally::new(field);
    let found = search_each(conn, request, &mut |document| tally.add(document))?;
    let groups = tally.finish(found.complete);
    Ok((found, Some(groups)))
}

/// Searches, and calls `each` with every matching document where documents decide.
fn search_each(
    conn: &mut SqliteConnection,
    request: &Request,
    each: &mut dyn FnMut(&Json),
) -> Result<Found, StoreError> {
    let search = Search::new(request);
    let deadline = request.limits.begin();
    let axis = axis(request.range);
    let mut histogram = vec![0; axis.buckets.len()];
    let mut tally = |start: i64, count: u64| {
        let first = axis.buckets.first().map_or(0, |bucket| bucket.start);
        let place = usize::try_from((start - first) / axis.interval).ok();
        if let Some(slot) = place.and_then(|place| histogram.get_mut(place)) {
            *slot += count;
        }
        count
    };
    let size = request.size.min(MOST_HITS);
    let (total, complete, hits, next) = if search.is_exact() {
        // The totals first: where nothing matches, no hits are looked for. They leave some time for the page.
        let part = deadline.part(0.75);
        let counted = search.counts(conn, axis.interval, size, &part)?;
        let newest = match &counted.newest {
            Some(places) => Newest {
                page: hits::load(conn, places, size, None, &deadline)?,
                complete: true,
            },
            None => search.newest(conn, size, &deadline, &counted.empty)?,
        };
        let mut total = 0;
        for (bucket, count) in counted.counts {
            total += tally(bucket, count);
        }
        let complete = newest.complete && counted.complete;
        let page = newest.page;
        (
            // The page may show more than were counted in time.
            total.max(page.hits.len() as u64),
            complete,
            page.hits,
            page.next,
        )
    } else {
        let mut total = 0;
        let interval = axis.interval;
        let read = search.read_all(conn, size, &deadline, &mut |(timestamp, _), document| {
            each(document);
            total += tally(timestamp.div_euclid(SECOND * interval) * interval, 1);
        })?;
        (total, read.complete, read.hits, read.next)
    };
    Ok(Found {
        total,
        complete,
        hits,
        next,
        histogram,
        axis,
    })
}

/// Calls `each` with the document of every matching event of some kinds, for as long as there is time; whether those
/// were all.
///
/// # Errors
/// Those of SQLite, and of documents that cannot be read.
pub(crate) fn each(
    conn: &mut SqliteConnection,
    request: &Request,
    kinds: &[Kind],
    deadline: &Deadline,
    each: &mut dyn FnMut(&Json),
) -> Result<bool, StoreError> {
    let search = Search::for_kinds(request, kinds);
    let read = search.read_all(conn, 0, deadline, &mut |_, document| each(document))?;
    Ok(read.complete)
}

/// The places of matching events of some kinds, as time and number, and the time back to which all events were looked
/// at, µs. It ends at the deadline, or with `most` events or soon after.
///
/// # Errors
/// Those of SQLite, and of documents that cannot be read.
pub(crate) fn places(
    conn: &mut SqliteConnection,
    request: &Request,
    kinds: &[Kind],
    deadline: &Deadline,
    most: usize,
) -> Result<(Vec<(i64, i64)>, i64), StoreError> {
    Search::for_kinds(request, kinds).places(conn, deadline, most)
}

/// The document of one event by its number; nothing where it is gone.
///
/// # Errors
/// Those of SQLite, and of a document that cannot be read.
pub fn document(conn: &mut SqliteConnection, seq: i64) -> Result<Option<Json>, StoreError> {
    let found = apm_store::events(conn, &[seq])?;
    Ok(found.first().map(apm_store::document::document))
}

/// One event as a search finds it, by its number; nothing where it is gone.
///
/// # Errors
/// As [`document`].
pub(crate) fn hit(conn: &mut SqliteConnection, seq: i64) -> Result<Option<Hit>, StoreError> {
    Ok(hits(conn, &[seq])?.pop())
}

/// Some events by their numbers, in their order, without those that are gone.
///
/// # Errors
/// As [`document`].
pub(crate) fn hits(conn: &mut SqliteConnection, seqs: &[i64]) -> Result<Vec<Hit>, StoreError> {
    Ok(hits::hits(&apm_store::events(conn, seqs)?))
}

/// The same with the frames of a browser as they were written, where a source map tells it.
///
/// # Errors
/// As [`document`].
pub fn shown(conn: &mut SqliteConnection, seq: i64) -> Result<Option<Json>, StoreError> {
    let mut found = document(conn, seq)?;
    if let Some(document) = &mut found {
        map_frames(conn, document)?;
    }
    Ok(found)
}

/// Buckets of a second and wider, over exactly the range asked for.
fn axis(range: Range) -> Axis {
    let interval = window::interval(range, 1);
    let first = range.from.div_euclid(SECOND * interval) * interval;
    let last = (range.to - 1).div_euclid(SECOND);
    let seconds = |micros: i64| micros as f64 / SECOND as f64;
    let buckets = (first..=last)
        .step_by(usize::try_from(interval).unwrap_or(1))
        .map(|start| window::Bucket {
            start,
            covered: seconds(range.to).min((start + interval) as f64)
                - seconds(range.from).max(start as f64),
        })
        .collect();
    Axis {
        interval,
        buckets,
        widened: false,
    }
}
