//! Values that count from a start, as processes report them.
//!
//! Servers share these in place of what they grew by: each takes the growth of those that it knows (ADR 456).

/// A value that counts from a start.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Point {
    /// The start, µs since the epoch; 0 where none was sent.
    pub(crate) start: i64,
    /// When it was read, µs since the epoch.
    pub(crate) ts: i64,
    /// Values of a distribution.
    pub(crate) count: f64,
    /// Of a counter its value, of a distribution the sum of the values.
    pub(crate) sum: f64,
    /// Bins and counts, by bin.
    pub(crate) bins: Vec<(i32, f64)>,
}

impl Point {
    /// Whether its numbers can be told to another server.
    pub(crate) fn is_finite(&self) -> bool {
        let counts = self.bins.iter().map(|(_, count)| *count);
        counts.chain([self.count, self.sum]).all(f64::is_finite)
    }
}

/// The process that a value of a series is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) series: i64,
    /// The hash of its resource, which is the same in all stores.
    pub(crate) process: i64,
}

/// A value that a process reported.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reading {
    pub(crate) owner: Owner,
    pub(crate) point: Point,
}
