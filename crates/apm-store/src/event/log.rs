//! A log line.

use super::{Id, ServiceOverride, Text};

/// A log line in ECS form.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// The trace in which it was written.
    pub trace_id: Option<Id>,
    /// The transaction in which it was written.
    pub transaction_id: Option<Id>,
    /// The span in which it was written.
    pub span_id: Option<Id>,
    /// Service named by the event itself.
    pub service: ServiceOverride,
    /// When, µs since the epoch.
    pub timestamp: i64,
    /// `log.level`
    pub level: Option<Text>,
    /// `log.logger`
    pub logger: Option<Text>,
    /// The message (also in `rest`).
    pub message: Option<Text>,
    /// Whether it carries `error.*`.
    pub has_error: bool,
    /// Everything else, a JSON object.
    pub rest: Text,
}
