//! Calls whose callee is known, by destination and service.

use super::{Cell, HashMap, LEVELS, Observation, bucket, coarser, merged, outcome_code};

/// Calls that are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct CallKey {
    /// The destination, which belongs to the caller.
    pub(crate) destination: i64,
    /// Start of the bucket, seconds since the epoch.
    pub(crate) bucket: i64,
    /// The service that did the work.
    pub(crate) callee: i64,
    /// See [`outcome_code`]; as the caller saw it.
    pub(crate) outcome: i32,
}

/// Calls by minute.
#[derive(Debug, Default)]
pub(crate) struct CallSeries(HashMap<CallKey, Cell>);

impl CallSeries {
    /// Counts a call as its span does. It is in the bucket of the span, whenever the callee is heard of.
    pub(crate) fn add(&mut self, destination: i64, callee: i64, seen: Observation) {
        if seen.count <= 0.0 || seen.of <= 0 {
            return;
        }
        let key = CallKey {
            destination,
            bucket: bucket(seen.ts, LEVELS[0]),
            callee,
            outcome: outcome_code(seen.outcome),
        };
        self.0.entry(key).or_default().add(&Cell {
            count: seen.count,
            n: seen.n,
            sum: seen.sum as f64 * (seen.count / seen.of as f64),
            max: seen.sum / seen.of,
        });
    }

    pub(super) fn absorb(&mut self, other: &Self) {
        for (key, cell) in &other.0 {
            self.put(*key, cell);
        }
    }

    /// Adds numbers that were counted elsewhere.
    pub(crate) fn put(&mut self, key: CallKey, cell: &Cell) {
        self.0.entry(key).or_default().add(cell);
    }

    pub(super) fn minutes(&self) -> impl Iterator<Item = i64> {
        self.0.keys().map(|key| key.bucket)
    }

    /// The cells of a level, sorted.
    pub(crate) fn cells(&self, level: i64) -> Vec<(CallKey, Cell)> {
        let of_level = |key: &CallKey| CallKey {
            bucket: coarser(key.bucket, level),
            ..*key
        };
        merged(&self.0, of_level, Cell::add)
    }
}
