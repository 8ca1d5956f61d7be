//! What a trace consists of.

use serde::Serialize;

/// Everything known of one trace.
#[derive(Debug, Clone, Serialize)]
pub struct Trace {
    /// `trace.id`
    pub id: String,
    /// Start of the entry, µs since the epoch; `at` of every item counts from here.
    pub start: i64,
    /// From the earliest start to the latest end, µs.
    pub duration: i64,
    /// Transactions and spans: parents before their children, siblings by start, orphans last.
    pub items: Vec<Item>,
    /// What the entry waited for, by time; adds up to its duration.
    pub critical_path: Vec<Stretch>,
    /// By time.
    pub errors: Vec<TraceError>,
    /// By time.
    pub logs: Vec<TraceLog>,
    /// Items that name a parent which did not arrive.
    pub orphans: usize,
}

impl Trace {
    /// The number of the event with an id: an item first, then an error.
    #[must_use]
    pub fn seq_of(&self, id: &str) -> Option<i64> {
        let item = self.items.iter().find(|item| item.id == id);
        let error = self.errors.iter().find(|error| error.id == id);
        item.map(|item| item.seq).or(error.map(|error| error.seq))
    }
}

/// A stretch of the critical path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Stretch {
    /// Index in [`Trace::items`].
    pub item: usize,
    /// µs from the start of the entry.
    pub from: i64,
    /// µs from the start of the entry.
    pub to: i64,
}

/// A transaction or a span.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Item {
    /// The event's number: its document is found by it.
    pub seq: i64,
    /// Whether it is a transaction.
    pub is_transaction: bool,
    /// Its id.
    pub id: String,
    /// `parent.id`
    pub parent_id: Option<String>,
    /// Of a span, where the agent sends it.
    pub transaction_id: Option<String>,
    /// `service.name`
    pub service: String,
    /// `service.environment`, may be empty.
    pub environment: String,
    /// `agent.name`
    pub agent: String,
    /// Name.
    pub name: String,
    /// `transaction.type` or `span.type`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `span.subtype`, may be empty.
    pub subtype: String,
    /// `span.action`, may be empty.
    pub action: String,
    /// Start by its own clock, µs since the epoch.
    pub timestamp: i64,
    /// µs.
    pub duration: i64,
    /// `success`, `failure` or `unknown`.
    pub outcome: &'static str,
    /// `transaction.result`, may be empty.
    pub result: String,
    /// HTTP status.
    pub status: Option<i64>,
    /// Of a transaction: whether its spans were recorded.
    pub sampled: bool,
    /// Of a transaction.
    pub spans_started: Option<i64>,
    /// Of a transaction: spans that the agent left out.
    pub spans_dropped: Option<i64>,
    /// What it calls, may be empty.
    pub destination: String,
    /// Fingerprint of its statement, 16 hex digits.
    pub fingerprint: Option<String>,
    /// Its statement with `?` for the literals, may be empty.
    pub statement: String,
    /// Set where one span stands for several.
    pub composite: Option<Composite>,
    /// Start on the common timeline, µs from the start of the entry, clocks brought together.
    pub at: i64,
    /// What was added to its own clock, µs.
    pub skew: i64,
    /// Generations above it.
    pub depth: usize,
    /// Index of its parent in [`Trace::items`].
    pub parent: Option<usize>,
    /// It names a parent that did not arrive.
    pub is_orphan: bool,
    /// What its children leave uncovered, µs.
    pub self_time: i64,
    /// `child.id`: items that it adopts, whatever parent they name.
    #[serde(skip)]
    pub adopts: Vec<String>,
}

/// A span that stands for several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Composite {
    /// How many.
    pub count: i64,
    /// Their time, µs.
    pub sum: i64,
}

/// An error in the trace.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TraceError {
    /// The event's number.
    pub seq: i64,
    /// `error.id`
    pub id: String,
    /// The item in which it happened.
    pub parent_id: Option<String>,
    /// The transaction in which it happened.
    pub transaction_id: Option<String>,
    /// `service.name`
    pub service: String,
    /// `error.grouping_key`
    pub key: String,
    /// `error.exception.type`, may be empty.
    #[serde(rename = "type")]
    pub kind: String,
    /// Message of its group.
    pub message: String,
    /// `error.culprit`, may be empty.
    pub culprit: String,
    /// `error.exception.handled`
    pub handled: Option<bool>,
    /// µs since the epoch, by its own clock.
    pub timestamp: i64,
}

/// A log line in the trace. Its text is in its document.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TraceLog {
    /// The event's number.
    pub seq: i64,
    /// The span in which it was written.
    pub span_id: Option<String>,
    /// The transaction in which it was written.
    pub transaction_id: Option<String>,
    /// `service.name`
    pub service: String,
    /// `log.level`, may be empty.
    pub level: String,
    /// µs since the epoch, by its own clock.
    pub timestamp: i64,
}
