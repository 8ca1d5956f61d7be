//! A transaction, and the spans that it only counts.

use std::ops::Range;

use super::{Id, Outcome, ServiceOverride, Text};

/// A unit of work that a service did for a caller.
#[derive(Clone, Debug, PartialEq)]
pub struct Transaction {
    /// Its own id.
    pub id: Id,
    /// The trace that it belongs to.
    pub trace_id: Id,
    /// The span or transaction that caused it; none for a root.
    pub parent_id: Option<Id>,
    /// Service named by the event itself.
    pub service: ServiceOverride,
    /// Start, µs since the epoch.
    pub timestamp: i64,
    /// Duration, µs, cut to a whole number.
    pub duration: i64,
    /// Name, such as `GET /people/{id}`.
    pub name: Option<Text>,
    /// Type, such as `request`; `unknown` where it was empty.
    pub kind: Text,
    /// Result, such as `HTTP 2xx`.
    pub result: Option<Text>,
    /// Outcome, from the response's status where it was not sent.
    pub outcome: Outcome,
    /// Whether its spans and context were recorded.
    pub sampled: bool,
    /// Sample rate as sent, 0 to 1.
    pub sample_rate: Option<f64>,
    /// `context.response.status_code`
    pub status: Option<i64>,
    /// Spans started.
    pub spans_started: i64,
    /// Spans that the agent dropped.
    pub spans_dropped: Option<i64>,
    /// Its `dropped_spans_stats`: a range of [`Batch::dropped`](super::Batch::dropped).
    pub dropped: Range<u32>,
    /// Everything else, a JSON object.
    pub rest: Text,
}

/// Spans that the agent counted instead of sending, by destination and outcome.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DroppedSpans {
    /// `destination_service_resource`
    pub resource: Option<Text>,
    /// `service_target_type`
    pub target_type: Option<Text>,
    /// `service_target_name`
    pub target_name: Option<Text>,
    /// Their outcome.
    pub outcome: Outcome,
    /// The number of spans.
    pub count: i64,
    /// The sum of their durations, µs.
    pub sum: i64,
}
