//! Events: lines of the intake, decoded and ready to be stored.
//!
//! A [`Batch`] is what the intake hands to the writer: one text arena, and events that point into it by
//! [`Text`] ranges. Nothing borrows, so a batch crosses threads, and a decoded event costs no allocation
//! of its own.
//!
//! Each field of the wire event is in exactly one of two places:
//!
//! * **promoted**: a field here that becomes a column, resolved as APM Server resolves it (span type split
//!   at dots, outcome from the status, receive time where no timestamp was sent);
//! * **rest**: a JSON object (raw text, starts with `{`) with every other member of the event as it came.
//!   What a promoted field is *derived* from stays here when it lives in `context` (status, destination,
//!   target, statement): the columns are for queries, `rest` is for the document.
//!
//! | kind | members taken out of `rest` |
//! |---|---|
//! | transaction | `id trace_id parent_id timestamp duration name type result outcome sampled sample_rate span_count` |
//! | span | `id trace_id parent_id transaction_id timestamp start duration name type subtype action outcome sample_rate
//! stacktrace` |
//! | error | `id trace_id parent_id transaction_id timestamp`, and `exception.stacktrace`, or `log.stacktrace` where
//! there is no exception |
//! | metricset | `timestamp` |
//! | log | `@timestamp trace.id transaction.id span.id`; flat keys (`"log.level"`) are nested |
//!
//! A `timestamp` that cannot be stays in `rest`; [`Batch::sent`] has it, and the event the time of its arrival.
//!
//! Other modules read JSON (`apm-intake`), write rows (`insert`) and build documents (`document`).

mod batch;
mod cost;
mod error;
mod id;
mod kind;
mod log;
mod metricset;
mod outcome;
mod resource;
mod span;
mod stored;
mod target;
mod text;
mod transaction;
mod weight;

pub use batch::Batch;
pub use cost::Cost;
pub use error::ErrorEvent;
pub use id::{Id, compact};
pub use kind::Kind;
pub use log::Log;
pub use metricset::{Breakdown, Distribution, Measured, MetricKind, Metricset, Sample};
pub use outcome::Outcome;
pub use resource::Resource;
pub use span::{Composite, Span};
pub use stored::StoredEvent;
pub use target::inferred_target;
pub use text::Text;
pub use transaction::{DroppedSpans, Transaction};
pub use weight::weight;

/// A service that an event names for itself, instead of the one of its metadata.
///
/// Absent fields fall back to the [`Resource`]'s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServiceOverride {
    /// `service.name`
    pub name: Option<Text>,
    /// `service.environment`
    pub environment: Option<Text>,
}

/// One decoded event.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A unit of work that a service did for a caller.
    Transaction(Transaction),
    /// A part of a transaction.
    Span(Span),
    /// An exception or an error that was logged.
    Error(ErrorEvent),
    /// Samples of metrics at one time.
    Metricset(Metricset),
    /// A log line.
    Log(Log),
}

impl Event {
    /// The kind of the event.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Transaction(_) => Kind::Transaction,
            Self::Span(_) => Kind::Span,
            Self::Error(_) => Kind::Error,
            Self::Metricset(_) => Kind::Metricset,
            Self::Log(_) => Kind::Log,
        }
    }

    /// When it happened, µs since the epoch.
    pub fn timestamp(&self) -> i64 {
        match self {
            Self::Transaction(event) => event.timestamp,
            Self::Span(event) => event.timestamp,
            Self::Error(event) => event.timestamp,
            Self::Metricset(event) => event.timestamp,
            Self::Log(event) => event.timestamp,
        }
    }

    /// The fields that are no columns: a JSON object.
    pub fn rest(&self) -> Text {
        match self {
            Self::Transaction(event) => event.rest,
            Self::Span(event) => event.rest,
            Self::Error(event) => event.rest,
            Self::Metricset(event) => event.rest,
            Self::Log(event) => event.rest,
        }
    }
}
