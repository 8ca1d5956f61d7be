//! Numbers of events, by kind, service and outcome.

use super::{HashMap, LEVELS, bucket, coarser, merged, outcome_code};
use crate::event::{Kind, Outcome};

/// Events that are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct EventKey {
    /// See [`kind_code`] and [`ENTRY`].
    pub(crate) kind: i32,
    /// Start of the bucket, seconds since the epoch.
    pub(crate) bucket: i64,
    /// The service's id.
    pub(crate) service: i64,
    /// See [`outcome_code`]: that of transactions and spans, unknown for the others.
    pub(crate) outcome: i32,
}

/// Counts by minute: not weighted, for they are of what is stored.
#[derive(Debug, Default)]
pub(crate) struct EventCounts(HashMap<EventKey, i64>);

impl EventCounts {
    /// Counts an event. `ts`: µs.
    pub(crate) fn add(&mut self, kind: Kind, service: i64, outcome: Outcome, ts: i64) {
        self.add_of(kind_code(kind), service, outcome, ts);
    }

    /// Counts a transaction that begins a trace. It is counted as a transaction too.
    pub(crate) fn add_entry(&mut self, service: i64, outcome: Outcome, ts: i64) {
        self.add_of(ENTRY, service, outcome, ts);
    }

    fn add_of(&mut self, kind: u8, service: i64, outcome: Outcome, ts: i64) {
        let key = EventKey {
            kind: i32::from(kind),
            bucket: bucket(ts, LEVELS[0]),
            service,
            outcome: outcome_code(outcome),
        };
        *self.0.entry(key).or_default() += 1;
    }

    /// The counts of a level, sorted.
    #[must_use]
    pub(crate) fn of_level(&self, level: i64) -> Vec<(EventKey, i64)> {
        let of_level = |key: &EventKey| EventKey {
            bucket: coarser(key.bucket, level),
            ..*key
        };
        merged(&self.0, of_level, |sum, n| *sum += n)
    }
}

/// The number of transactions without a parent in the database: never to be changed.
pub const ENTRY: u8 = 6;

/// The number of a kind in the database: never to be changed.
#[must_use]
pub fn kind_code(kind: Kind) -> u8 {
    match kind {
        Kind::Transaction => 1,
        Kind::Span => 2,
        Kind::Error => 3,
        Kind::Metricset => 4,
        Kind::Log => 5,
    }
}
