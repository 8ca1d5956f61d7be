//! Traces of which any event matches: first the traces, then their entries.
//!
//! Other servers may have some of either ([`Matching::add`], [`Matching::entries`]).

use std::collections::HashMap;
use std::time::Duration;

use apm_store::StoreError;
use apm_store::id::StoredId;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use kql::Expr;
use serde_json::Value as Json;

use super::grid::Grid;
use super::ranked::Ranked;
use super::{Entry, Order, Question, Traces, entries};
use crate::analytics::deadline::Deadline;
use crate::analytics::discover::points::Point;
use crate::analytics::discover::{Cursor, Hit, traced};
use crate::analytics::sql::{self, Sql};

/// The times at which the search for traces and the look for their entries end, as those of the other parts.
const MATCHES: Duration = Duration::from_millis(1_250);
const LOOK_UP: Duration = Duration::from_millis(1_750);

/// Traces whose entries are looked up: those with the newest matching events.
pub(crate) const LOOKED_UP: usize = 2_000;

/// Entries that are looked up whatever the time: those of a page.
const LEAST_LOOKED_UP: usize = 100;

/// The traces of matching events.
#[derive(Debug, Clone, Default)]
pub(crate) struct Matching {
    /// Each with its newest matching event.
    found: HashMap<StoredId, Cursor>,
    /// Number of traces, at least.
    pub(crate) total: u64,
    /// Whether these are all.
    pub(crate) complete: bool,
    /// Traces whose newest matching event is older were not read; µs since the epoch.
    pub(crate) reach: Option<i64>,
    /// Entries on other servers, by their trace.
    pub(crate) entries: HashMap<StoredId, Hit>,
    /// Matching events on other servers.
    pub(crate) events: HashMap<i64, Hit>,
    sql: Vec<String>,
}

/// The entries that a list was made of.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct LookedUp {
    /// Numbers of those that are stored here.
    pub(crate) here: Vec<i64>,
    /// Documents of the others.
    pub(crate) others: Vec<Json>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    ts: i64,
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = BigInt)]
    duration: i64,
    #[diesel(sql_type = Bool)]
    failed: bool,
    #[diesel(sql_type = Bool)]
    has_parent: bool,
}

/// The traces of matching events that are stored here.
///
/// # Errors
/// Those of SQLite, and of documents that cannot be read.
pub(crate) fn matching(
    conn: &mut SqliteConnection,
    question: &Question,
) -> Result<Matching, StoreError> {
    let mut request = question.request(Expr::All);
    request.limits.deadline = MATCHES;
    let (traced, sql) = sql::recorded(|| traced::traced(conn, &request));
    let traced = traced?;
    Ok(Matching {
        total: traced.len() as u64,
        complete: traced.complete,
        found: traced.found(),
        sql,
        ..Matching::default()
    })
}

impl Matching {
    /// Adds a matching event that the engine has.
    pub(crate) fn add(&mut self, trace: StoredId, place: Cursor) {
        let known = self.found.entry(trace).or_insert(place);
        *known = place.max(*known);
    }

    /// Takes out a trace that an earlier page has.
    pub(crate) fn remove(&mut self, trace: &StoredId) {
        self.found.remove(trace);
    }

    /// Whether a trace was found.
    pub(crate) fn has(&self, trace: &StoredId) -> bool {
        self.found.contains_key(trace)
    }

    /// Number of traces that were found.
    pub(crate) fn len(&self) -> usize {
        self.found.len()
    }

    /// The traces of a page and of those that follow, that with the newest matching event first.
    pub(crate) fn newest_first(&self, question: &Question) -> Vec<(StoredId, Cursor)> {
        let after = question.after.filter(|_| question.order == Order::Newest);
        let is_of_page = |place: &Cursor| {
            after.is_none_or(|after| *place < after)
                && self.reach.is_none_or(|reach| place.timestamp >= reach)
        };
        let of_page = self.found.iter().filter(|(_, place)| is_of_page(place));
        let mut all: Vec<(StoredId, Cursor)> = of_page
            .map(|(trace, place)| (trace.clone(), *place))
            .collect();
        all.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        all
    }
}

/// The traces with their entries.
///
/// # Errors
/// Those of SQLite, and of documents that cannot be read.
pub(crate) fn list(
    conn: &mut SqliteConnection,
    question: &Question,
    mut matching: Matching,
) -> Result<Traces, StoreError> {
    let all = matching.newest_first(question);
    let (mut complete, mut total) = (matching.complete, matching.total);
    let mut density_sql = std::mem::take(&mut matching.sql);
    let is_ranked = question.order != Order::Newest;
    let deadline = Deadline::after(LOOK_UP);
    let mut grid = Grid::new(question.range);
    let mut ranked = Ranked::new(question);
    let (mut newest, mut looked_up, mut next) = (Vec::new(), Vec::new(), None);
    let count = all.len();
    let is_narrowed = question.durations != (None, None);
    let mut is_whole = true;
    for (index, (trace, place)) in all.into_iter().enumerate() {
        if index >= LOOKED_UP || !deadline.allows_more(index, LEAST_LOOKED_UP) {
            is_whole = false;
            break;
        }
        let sql = Sql::new(include_str!("entry.sql"))
            .bind("bits", trace.trace_bits())
            .bind("trace", &trace);
        // One of many of its kind is told of.
        if index == 0 {
            density_sql.push(sql.shell());
        }
        let here: Vec<Row> = sql.load(conn)?;
        let entry = entry(here.first(), matching.entries.get(&trace)).unwrap_or(Point {
            // Of a trace without a transaction its matching event stands for it.
            ts: place.timestamp,
            seq: place.seq,
            duration: 0,
            failed: false,
        });
        grid.add(&entry);
        if !question.is_selected(&entry) {
            total = total.saturating_sub(u64::from(is_narrowed));
            continue;
        }
        ranked.add(entry);
        looked_up.push(entry.seq);
        if newest.len() < question.size {
            newest.push(entry.seq);
            next = (index + 1 < count || matching.reach.is_some()).then_some(place);
        }
    }
    // Traces beyond the reach of the engine's answer are missing, as those beyond `LOOKED_UP` are.
    if !is_whole || matching.reach.is_some() {
        complete &= !is_ranked && !is_narrowed;
    }
    if let Some(timestamp) = matching
        .reach
        .filter(|_| is_whole && newest.len() < question.size)
    {
        next = Some(Cursor { timestamp, seq: 0 });
    }
    let density = grid.finish(complete);
    let others = Others::of(matching);
    let seqs = if is_ranked { ranked.seqs() } else { newest };
    Ok(Traces {
        next: next.filter(|_| !is_ranked).map(|place| place.to_string()),
        traces: others.listed(conn, &seqs)?,
        total,
        complete,
        density,
        density_sql,
        looked_up: Some(others.looked_up(looked_up)),
        page: None,
    })
}

/// The entry of a trace of which there may be parts here and elsewhere: the first transaction without a parent, else
/// the first of all.
fn entry(here: Option<&Row>, other: Option<&Hit>) -> Option<Point> {
    let of_here = here.map(|row| {
        let point = Point {
            ts: row.ts,
            seq: row.seq,
            duration: row.duration,
            failed: row.failed,
        };
        (row.has_parent, point)
    });
    let of_other = other.map(|hit| {
        let at = |pointer: &str| hit.document.pointer(pointer);
        let point = Point {
            ts: hit.timestamp,
            seq: hit.seq,
            duration: at("/transaction/duration/us")
                .and_then(Json::as_i64)
                .unwrap_or_default(),
            failed: at("/event/outcome").is_some_and(|outcome| outcome == "failure"),
        };
        (at("/parent/id").is_some(), point)
    });
    // Of here, if they are alike.
    let both = of_here.into_iter().chain(of_other);
    let first = both.min_by_key(|(has_parent, point)| (*has_parent, point.ts));
    first.map(|(_, point)| point)
}

/// Events of other servers, by their number.
struct Others(HashMap<i64, Hit>);

impl Others {
    fn of(matching: Matching) -> Self {
        let entries = matching.entries.into_values().map(|hit| (hit.seq, hit));
        let mut all = matching.events;
        all.extend(entries);
        Self(all)
    }

    /// Some entries, in their order.
    fn listed(&self, conn: &mut SqliteConnection, seqs: &[i64]) -> Result<Vec<Entry>, StoreError> {
        let here: Vec<i64> = seqs
            .iter()
            .copied()
            .filter(|seq| !self.0.contains_key(seq))
            .collect();
        let stored = entries(conn, &here)?;
        let mut stored: HashMap<i64, Entry> =
            stored.into_iter().map(|entry| (entry.seq, entry)).collect();
        let entry = |seq: &i64| match self.0.get(seq) {
            Some(hit) => Some(Entry::from(hit)),
            None => stored.remove(seq),
        };
        Ok(seqs.iter().filter_map(entry).collect())
    }

    fn looked_up(mut self, seqs: Vec<i64>) -> LookedUp {
        let mut looked_up = LookedUp::default();
        for seq in seqs {
            match self.0.remove(&seq) {
                Some(hit) => looked_up.others.push(hit.document),
                None => looked_up.here.push(seq),
            }
        }
        looked_up
    }
}
