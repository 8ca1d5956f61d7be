//! Items of a trace.

use std::sync::Arc;

use apm_store::event::Outcome;
use apm_store::id::StoredId;
use schemars::JsonSchema;
use serde::Serialize;

/// A stretch of the critical path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize)]
#[schemars(rename = "CriticalStretch")]
pub struct Stretch {
    /// Index in [`Trace::items`](super::Trace::items).
    pub item: u32,
    /// µs from the start of the entry.
    pub from: i64,
    /// µs from the start of the entry.
    pub to: i64,
}

/// The kind and the name of an item: all items that are the same share one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct What {
    /// Its place among those of the trace.
    pub number: u32,
    /// `service.name`
    pub service: Arc<str>,
    /// `service.environment`, may be empty.
    pub environment: Arc<str>,
    /// `agent.name`
    pub agent: Arc<str>,
    /// Name.
    pub name: Arc<str>,
    /// `transaction.type` or `span.type`.
    pub kind: Arc<str>,
    /// `span.subtype`, may be empty.
    pub subtype: Arc<str>,
    /// `span.action`, may be empty.
    pub action: Arc<str>,
    /// `transaction.result`, may be empty.
    pub result: Arc<str>,
    /// The destination that it calls, may be empty.
    pub destination: Arc<str>,
    /// The row of its statement, whose text is read when it is shown.
    pub statement: Option<i64>,
    /// The fingerprint of its statement.
    pub fingerprint: Option<i64>,
}

impl What {
    /// The fingerprint, 16 hex digits.
    #[must_use]
    pub fn fingerprint(&self) -> Option<String> {
        self.fingerprint.map(|hash| format!("{hash:016x}"))
    }
}

/// A transaction or a span.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The event's number: its document is found by it.
    pub seq: i64,
    /// Its id.
    pub id: StoredId,
    /// Names and kinds.
    pub what: Arc<What>,
    /// Start, µs since the epoch, as stored: by its own clock, or the time of arrival where that clock was wrong.
    pub timestamp: i64,
    /// µs.
    pub duration: i64,
    /// Start on the common timeline, µs from the start of the entry, clocks brought together.
    pub at: i64,
    /// The correction of its own clock, µs.
    pub skew: i64,
    /// The time that its children leave uncovered, µs.
    pub self_time: i64,
    /// Attributes that few items have.
    pub rare: Option<Box<Rare>>,
    /// Generations above it.
    pub depth: u32,
    /// Index of its parent in [`Trace::items`](super::Trace::items).
    pub parent: Option<u32>,
    /// Index of the transaction that a span says it belongs to.
    pub transaction: Option<u32>,
    /// HTTP status.
    pub status: Option<i16>,
    /// Its outcome.
    pub outcome: Outcome,
    /// Whether it is a transaction.
    pub is_transaction: bool,
    /// Of a transaction: whether its spans were recorded.
    pub sampled: bool,
    /// It names a parent that did not arrive.
    pub is_orphan: bool,
    /// It is too far from the rest in time to be drawn with it.
    pub is_far: bool,
}

/// Attributes that few items have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rare {
    /// Of a transaction.
    pub spans_started: Option<i64>,
    /// Of a transaction: spans that the agent left out.
    pub spans_dropped: Option<i64>,
    /// Set where one span stands for several.
    pub composite: Option<Composite>,
    /// Steps of SQLite from one row to the next in full scans of tables, where there were any.
    pub scan_steps: Option<i64>,
    /// The time that it was sent with, µs since the epoch, where that cannot be.
    pub sent: Option<i64>,
}

impl Item {
    /// End on the common timeline.
    #[must_use]
    pub fn end(&self) -> i64 {
        self.at.saturating_add(self.duration)
    }

    /// Whether it failed.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.outcome == Outcome::Failure
    }

    /// Set where one span stands for several.
    #[must_use]
    pub fn composite(&self) -> Option<Composite> {
        self.rare.as_ref()?.composite
    }

    /// Steps of SQLite in full scans of tables, where there were any.
    #[must_use]
    pub fn scan_steps(&self) -> Option<i64> {
        self.rare.as_ref()?.scan_steps
    }

    /// Spans that its agent started.
    #[must_use]
    pub fn spans_started(&self) -> Option<i64> {
        self.rare.as_ref()?.spans_started
    }

    /// Spans that its agent left out.
    #[must_use]
    pub fn spans_dropped(&self) -> Option<i64> {
        self.rare.as_ref()?.spans_dropped
    }

    /// The time that it was sent with, where that cannot be.
    #[must_use]
    pub fn sent(&self) -> Option<i64> {
        self.rare.as_ref()?.sent
    }
}

/// A span that stands for several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Composite {
    /// Number of spans.
    pub count: i64,
    /// Their time, µs.
    pub sum: i64,
}

/// An error in the trace.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
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
    /// Message of its group, at most 1 000 characters.
    pub message: String,
    /// `error.culprit`, may be empty.
    pub culprit: String,
    /// `error.exception.handled`
    pub handled: Option<bool>,
    /// µs since the epoch, by its own clock.
    pub timestamp: i64,
    /// Index of the item in which it happened.
    pub item: Option<u32>,
}

/// A log line in the trace. Its text is in its document.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
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
