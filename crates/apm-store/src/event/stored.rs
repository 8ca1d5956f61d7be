//! An event as the store gives it back.

use std::sync::Arc;

use super::{Kind, Outcome};

/// An event as it comes back from the store: columns, `rest`, stack and resource put together again.
///
/// Fields that a kind does not have are `None`. Ids are in the form in which they were sent.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredEvent {
    /// Its number in the order of arrival.
    pub seq: i64,
    /// The kind of the event.
    pub kind: Kind,
    /// [`Resource::document`](super::Resource::document)
    pub resource: Arc<str>,
    /// Transaction, span, error: its own id. Log: the span's.
    pub id: Option<String>,
    /// The trace.
    pub trace_id: Option<String>,
    /// Span, error, log: the transaction.
    pub transaction_id: Option<String>,
    /// Transaction, span, error: the parent.
    pub parent_id: Option<String>,
    /// µs since the epoch.
    pub timestamp: i64,
    /// Transaction, span: µs.
    pub duration: Option<i64>,
    /// Transaction, span.
    pub name: Option<String>,
    /// Transaction, span: `type`.
    pub event_type: Option<String>,
    /// Span.
    pub subtype: Option<String>,
    /// Span.
    pub action: Option<String>,
    /// Transaction.
    pub result: Option<String>,
    /// Transaction, span.
    pub outcome: Option<Outcome>,
    /// Transaction.
    pub sampled: Option<bool>,
    /// Transaction, span, where it was sent.
    pub sample_rate: Option<f64>,
    /// Transaction.
    pub spans_started: Option<i64>,
    /// Transaction, where it was sent.
    pub spans_dropped: Option<i64>,
    /// Error.
    pub grouping_key: Option<u64>,
    /// Everything else, a JSON object.
    pub rest: String,
    /// Span, error: the stack trace, a JSON array.
    pub stack: Option<String>,
}

impl StoredEvent {
    /// An event of which the sender and a JSON object are known: it has no ids, no numbers and no time.
    #[must_use]
    pub fn bare(kind: Kind, resource: Arc<str>, rest: String) -> Self {
        Self {
            seq: 0,
            kind,
            resource,
            id: None,
            trace_id: None,
            transaction_id: None,
            parent_id: None,
            timestamp: 0,
            duration: None,
            name: None,
            event_type: None,
            subtype: None,
            action: None,
            result: None,
            outcome: None,
            sampled: None,
            sample_rate: None,
            spans_started: None,
            spans_dropped: None,
            grouping_key: None,
            rest,
            stack: None,
        }
    }
    /// Bytes of its texts as they are stored, those of its sender too.
    #[must_use]
    pub fn stored_bytes(&self) -> usize {
        self.rest.len() + self.stack.as_ref().map_or(0, String::len) + self.resource.len()
    }
}
