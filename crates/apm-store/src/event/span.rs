//! A span.

use super::{Cost, Id, Outcome, ServiceOverride, Text};

/// A part of a transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Its own id.
    pub id: Id,
    /// The trace that it belongs to.
    pub trace_id: Id,
    /// The transaction in which it happened, where it was sent.
    pub transaction_id: Option<Id>,
    /// The span or transaction that caused it.
    pub parent_id: Id,
    /// Service named by the event itself.
    pub service: ServiceOverride,
    /// Start, µs since the epoch.
    pub timestamp: i64,
    /// Duration, µs, cut to a whole number.
    pub duration: i64,
    /// Name, such as `SELECT FROM people`.
    pub name: Text,
    /// Type, such as `db`, split at dots where neither subtype nor action was sent.
    pub kind: Text,
    /// Subtype, such as `sqlite`.
    pub subtype: Option<Text>,
    /// Action, such as `query`.
    pub action: Option<Text>,
    /// Outcome, from `context.http.status_code` where it was not sent.
    pub outcome: Outcome,
    /// Sample rate as sent, 0 to 1.
    pub sample_rate: Option<f64>,
    /// `context.http.status_code`
    pub status: Option<i64>,
    /// `context.destination.service.resource`
    pub resource: Option<Text>,
    /// `context.service.target.type`, inferred from the resource where it was not sent.
    pub target_type: Option<Text>,
    /// `context.service.target.name`, likewise.
    pub target_name: Option<Text>,
    /// `context.db.instance`
    pub db_instance: Option<Text>,
    /// `context.db.statement`, as sent, any length up to a line's.
    pub db_statement: Option<Text>,
    /// Set where the agent folded several spans into this one.
    pub composite: Option<Composite>,
    /// SQLite's work for it, if the agent measured it.
    pub cost: Option<Cost>,
    /// Its stack trace.
    pub stack: Option<Text>,
    /// Everything else, a JSON object.
    pub rest: Text,
}

/// Several spans folded into one by the agent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Composite {
    /// The number of spans in it, at least 2.
    pub count: i64,
    /// The sum of their durations, µs.
    pub sum: i64,
}
