//! Traces, by their entries: transactions that nothing traced called. A search finds those whose entry matches, or
//! those of which any event does.

pub(crate) mod any;
pub(crate) mod grid;
mod ranked;

use std::time::Duration;

use apm_store::StoreError;
use apm_time::Range;
use diesel::SqliteConnection;
use kql::Expr;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use super::deadline::Deadline;
use super::discover::points::{self, Point};
use super::discover::{self, Cursor, Found, Groups, Hit, Limits, Request};
use super::sql;
use any::LookedUp;
use grid::Grid;
pub use grid::{Cell, Density};
use ranked::Ranked;

/// The query that finds entries of traces.
pub const ENTRIES: &str = "processor.event: transaction and not parent.id: *";

/// The times at which the parts of a list end that read documents, from when its reading began: the chart of durations,
/// then the list itself, then the names beside it. They grow with the time of searches ([`apm_store::SEARCH_TIME`]).
const CHART: Duration = Duration::from_secs(1);
const LIST: Duration = Duration::from_millis(1_500);
const NAMES: Duration = Duration::from_secs(2);

/// The order of a list of traces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// Those that began last, or with any event, those with the newest matching event.
    #[default]
    Newest,
    /// Those whose entry took longest.
    Longest,
    /// Those whose entry took the shortest time.
    Shortest,
}

/// The question of a search for traces.
#[derive(Debug, Clone)]
pub struct Question {
    /// A query that the entries match besides, or any event.
    pub query: Expr,
    /// `service.name`, one or all.
    pub service: Option<String>,
    /// `service.environment`, one or all.
    pub environment: Option<String>,
    /// When they began.
    pub range: Range,
    /// Number of traces that are listed.
    pub size: usize,
    /// Older than this one; without meaning where they are ordered by duration.
    pub after: Option<Cursor>,
    /// The order.
    pub order: Order,
    /// Shortest and first too long duration of the entry, µs.
    pub durations: (Option<i64>, Option<i64>),
    /// Whether any event of a trace may match, not only its entry.
    pub any: bool,
}

/// The entry of a trace.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Entry {
    /// `trace.id`
    pub trace: String,
    /// `transaction.id`
    pub transaction: String,
    /// `transaction.name`, may be empty.
    pub name: String,
    /// `service.name`
    pub service: String,
    /// `transaction.result`, may be empty.
    pub result: String,
    /// `event.outcome`, may be empty.
    pub outcome: String,
    /// µs since the epoch.
    pub timestamp: i64,
    /// µs.
    pub duration: Option<i64>,
    /// Spans that the entry's own service recorded.
    pub spans: Option<i64>,
    /// The event's number.
    #[serde(skip)]
    pub(crate) seq: i64,
}

/// The traces of a range.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Traces {
    /// In the order that was asked for.
    pub traces: Vec<Entry>,
    /// Number of traces.
    pub total: u64,
    /// Whether all were looked at in time.
    pub complete: bool,
    /// `after` of the next page.
    pub next: Option<String>,
    /// Durations of the entries over time, whatever durations are selected; where any event may match, those of the
    /// newest 2 000 traces.
    pub density: Density,
    /// The statements that read the density, as the console takes them.
    #[serde(skip)]
    pub(crate) density_sql: Vec<String>,
    /// The entries that were looked up, where any event may match.
    #[serde(skip)]
    pub(crate) looked_up: Option<LookedUp>,
    /// The page that was read, where the newest entries that match are listed.
    #[serde(skip)]
    pub(crate) page: Option<Found>,
}

impl Question {
    /// The same as a search for documents of entries, whatever their durations.
    pub(crate) fn entries(&self, now: i64) -> Request {
        // Our own text always parses.
        let entries = kql::parse(ENTRIES, now).unwrap_or(Expr::All);
        self.request(entries)
    }

    /// The same as a search for documents of any kind, or of those that pass one more query.
    pub(crate) fn request(&self, entries: Expr) -> Request {
        let request = Request {
            query: discover::all_of([entries, self.query.clone()]),
            range: self.range,
            size: self.size,
            after: self.after,
            limits: Limits::default(),
        };
        request.within(self.service.as_deref(), self.environment.as_deref())
    }

    /// The search for entries that the list shows: of the durations that were selected.
    #[must_use]
    pub fn listed(&self, now: i64) -> Request {
        let mut request = self.entries(now);
        let (least, most) = self.durations;
        let bounds = [
            least.map(|us| format!("transaction.duration.us >= {us}")),
            most.map(|us| format!("transaction.duration.us < {us}")),
        ];
        for text in bounds.into_iter().flatten() {
            let bound = kql::parse(&text, now).unwrap_or(Expr::All);
            request.query = discover::all_of([bound, request.query]);
        }
        request
    }

    /// Whether the durations of an entry are those that were selected.
    fn is_selected(&self, point: &Point) -> bool {
        let (least, most) = self.durations;
        least.is_none_or(|us| point.duration >= us) && most.is_none_or(|us| point.duration < us)
    }

    /// Whether other events than entries have to be looked at.
    #[must_use]
    pub fn is_of_any(&self) -> bool {
        self.any && (self.query != Expr::All || self.service.is_some())
    }
}

/// The names that the newest traces begin with, the most frequent one first; or their values of another field.
///
/// # Errors
/// Those of SQLite, and of documents that cannot be read.
pub fn names(
    conn: &mut SqliteConnection,
    (question, found): (&Question, &Traces),
    field: &str,
    now: i64,
) -> Result<Groups, StoreError> {
    if let Some(entries) = &found.looked_up {
        let deadline = Deadline::after(NAMES);
        let (here, others) = (&entries.here, &entries.others);
        let mut groups = discover::group_of(conn, here, others, field, &deadline)?;
        groups.complete &= found.complete && (here.len() + others.len()) as u64 == found.total;
        return Ok(groups);
    }
    let mut request = question.listed(now);
    // The list goes on with older ones; the names are of the newest on each of its pages.
    request.after = None;
    request.limits.deadline = NAMES;
    match field {
        "transaction.name" => discover::names(conn, &request),
        field => discover::group(conn, &request, field),
    }
}

/// The traces of a range, and the durations of all of their entries over time.
///
/// # Errors
/// Those of SQLite, and of documents that cannot be read.
pub fn list(
    conn: &mut SqliteConnection,
    question: &Question,
    now: i64,
) -> Result<Traces, StoreError> {
    if question.is_of_any() {
        let matching = any::matching(conn, question)?;
        return any::list(conn, question, matching);
    }
    let mut grid = Grid::new(question.range);
    let mut ranked = Ranked::new(question);
    let mut request = question.entries(now);
    if question.order == Order::Newest {
        request.limits.deadline = CHART;
    }
    let (complete, density_sql) = sql::recorded(|| {
        points::each(conn, &request, &mut |point| {
            grid.add(&point);
            if question.is_selected(&point) {
                ranked.add(point);
            }
        })
    });
    let complete = complete?;
    let density = grid.finish(complete);
    if question.order != Order::Newest {
        return Ok(Traces {
            total: ranked.count,
            traces: ranked.load(conn)?,
            complete,
            next: None,
            density,
            density_sql,
            looked_up: None,
            page: None,
        });
    }
    let mut request = question.listed(now);
    request.limits.deadline = LIST;
    let found = discover::search(conn, &request)?;
    Ok(Traces {
        traces: found.hits.iter().map(Entry::from).collect(),
        total: found.total,
        complete: found.complete,
        next: found.next.map(|cursor| cursor.to_string()),
        density,
        density_sql,
        looked_up: None,
        page: Some(found),
    })
}

/// The documents of some entries, in their order.
fn entries(conn: &mut SqliteConnection, seqs: &[i64]) -> Result<Vec<Entry>, StoreError> {
    let mut found = Vec::with_capacity(seqs.len());
    for seqs in seqs.chunks(64) {
        found.extend(discover::hits(conn, seqs)?.iter().map(Entry::from));
    }
    Ok(found)
}

impl From<&Hit> for Entry {
    fn from(hit: &Hit) -> Self {
        let at = |pointer: &str| hit.document.pointer(pointer);
        let text = |pointer: &str| at(pointer).and_then(Json::as_str).unwrap_or("").to_owned();
        // A list of single events says what was sent, also where that is counted as `_other`.
        let sent = |field: &str, pointer: &str| {
            let parts = field.replace('.', "/");
            Some(text(&format!("/overflow/{parts}")))
                .filter(|sent| !sent.is_empty())
                .unwrap_or_else(|| text(pointer))
        };
        Self {
            trace: text("/trace/id"),
            transaction: text("/transaction/id"),
            name: sent("transaction.name", "/transaction/name"),
            service: sent("service.name", "/service/name"),
            result: sent("transaction.result", "/transaction/result"),
            outcome: text("/event/outcome"),
            timestamp: hit.timestamp,
            duration: at("/transaction/duration/us").and_then(Json::as_i64),
            spans: at("/transaction/span_count/started").and_then(Json::as_i64),
            seq: hit.seq,
        }
    }
}
