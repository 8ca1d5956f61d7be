//! The newest traces, by their entries: transactions that nothing traced called.

use std::time::Duration;

use apm_store::StoreError;
use apm_time::Range;
use diesel::SqliteConnection;
use kql::Expr;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use super::discover::{self, Cursor, Groups, Hit, Limits, Request};

/// The query that finds entries of traces.
pub const ENTRIES: &str = "processor.event: transaction and not parent.id: *";

/// Time for the names beside the list.
const NAMES: Duration = Duration::from_millis(500);

/// The question of a search for traces.
#[derive(Debug, Clone)]
pub struct Question {
    /// A query that the entries match besides.
    pub query: Expr,
    /// `service.name`, one or all.
    pub service: Option<String>,
    /// `service.environment`, one or all.
    pub environment: Option<String>,
    /// When they began.
    pub range: Range,
    /// Number of traces that are listed.
    pub size: usize,
    /// Older than this one.
    pub after: Option<Cursor>,
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
}

/// The newest traces of a range.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Traces {
    /// Newest first.
    pub traces: Vec<Entry>,
    /// Number of traces.
    pub total: u64,
    /// Whether all were looked at in time.
    pub complete: bool,
    /// `after` of the next page.
    pub next: Option<String>,
}

impl Question {
    /// The same as a search for documents.
    #[must_use]
    pub fn request(&self, now: i64) -> Request {
        // Our own text always parses.
        let entries = kql::parse(ENTRIES, now).unwrap_or(Expr::All);
        let request = Request {
            query: discover::all_of([entries, self.query.clone()]),
            range: self.range,
            size: self.size,
            after: self.after,
            limits: Limits::default(),
        };
        request.within(self.service.as_deref(), self.environment.as_deref())
    }
}

/// The names that the newest traces begin with, the most frequent one first.
///
/// # Errors
/// Those of SQLite, and of documents that cannot be read.
pub fn names(
    conn: &mut SqliteConnection,
    question: &Question,
    now: i64,
) -> Result<Groups, StoreError> {
    let mut request = question.request(now);
    // The list goes on with older ones; the names are of the newest on each of its pages.
    request.after = None;
    request.limits.deadline = NAMES;
    discover::names(conn, &request)
}

/// The newest traces.
///
/// # Errors
/// Those of SQLite, and of documents that cannot be read.
pub fn list(
    conn: &mut SqliteConnection,
    question: &Question,
    now: i64,
) -> Result<Traces, StoreError> {
    let found = discover::search(conn, &question.request(now))?;
    Ok(Traces {
        traces: found.hits.iter().map(Entry::from).collect(),
        total: found.total,
        complete: found.complete,
        next: found.next.map(|cursor| cursor.to_string()),
    })
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
        }
    }
}
