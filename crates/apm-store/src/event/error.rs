//! An error.

use super::{Id, ServiceOverride, Text};

/// An exception or an error that was logged.
#[derive(Clone, Debug, PartialEq)]
pub struct ErrorEvent {
    /// Its own id.
    pub id: Id,
    /// The trace that it belongs to.
    pub trace_id: Option<Id>,
    /// The transaction in which it happened.
    pub transaction_id: Option<Id>,
    /// The span or transaction in which it happened.
    pub parent_id: Option<Id>,
    /// Service named by the event itself.
    pub service: ServiceOverride,
    /// When, µs since the epoch.
    pub timestamp: i64,
    /// The key of its group: see `elastic::grouping` of the intake.
    pub grouping_key: u64,
    /// `exception.type`
    pub kind: Option<Text>,
    /// `log.message`, else `exception.message`.
    pub message: Option<Text>,
    /// The place of the error, in the agent's words.
    pub culprit: Option<Text>,
    /// `exception.handled`
    pub handled: Option<bool>,
    /// `transaction.name`, as the agent knew it.
    pub transaction_name: Option<Text>,
    /// `transaction.type`, as the agent knew it.
    pub transaction_kind: Option<Text>,
    /// The stack trace of its exception, or of its log message where there is no exception.
    pub stack: Option<Text>,
    /// Everything else, a JSON object.
    pub rest: Text,
}
