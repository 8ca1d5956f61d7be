//! The work of SQLite for statements, of the calls that were measured.

use super::{HashMap, LEVELS, Observation, bin, bucket, coarser, merged};
use crate::event::Cost;

/// The statement, and the bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct CostKey {
    /// The statement.
    pub(crate) statement: i64,
    /// Start of the bucket, seconds since the epoch.
    pub(crate) bucket: i64,
}

/// A bar of the histogram of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct CostBinKey {
    /// The statement.
    pub(crate) statement: i64,
    /// Start of the bucket, seconds since the epoch.
    pub(crate) bucket: i64,
    /// [`bin`] of the steps of a call.
    pub(crate) bin: i32,
}

/// Weighted sums over the calls that were measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct CostCell {
    /// Calls.
    pub(crate) measured: f64,
    /// See [`Cost::steps`].
    pub(crate) steps: f64,
    /// The most steps of a call, of a composite the mean.
    pub(crate) steps_max: i64,
    /// See [`Cost::scan_steps`].
    pub(crate) scan_steps: f64,
    /// See [`Cost::sorts`].
    pub(crate) sorts: f64,
    /// See [`Cost::autoindex_steps`].
    pub(crate) autoindex_steps: f64,
    /// See [`Cost::reprepares`].
    pub(crate) reprepares: f64,
    /// See [`Cost::rows_returned`].
    pub(crate) rows_returned: f64,
    /// Calls of which the changed rows are known.
    pub(crate) changing: f64,
    /// Rows that these changed.
    pub(crate) rows_changed: f64,
    /// See [`Cost::pages_read`].
    pub(crate) pages_read: f64,
    /// See [`Cost::pages_written`].
    pub(crate) pages_written: f64,
}

impl CostCell {
    /// The number of sums.
    pub(crate) const SUMS: usize = 11;

    /// All but the most steps, in the order of the fields.
    pub(crate) fn sums(&self) -> [f64; Self::SUMS] {
        [
            self.measured,
            self.steps,
            self.scan_steps,
            self.sorts,
            self.autoindex_steps,
            self.reprepares,
            self.rows_returned,
            self.changing,
            self.rows_changed,
            self.pages_read,
            self.pages_written,
        ]
    }

    /// The reverse of [`Self::sums`].
    pub(crate) fn from_sums(steps_max: i64, sums: [f64; Self::SUMS]) -> Self {
        let [
            measured,
            steps,
            scan_steps,
            sorts,
            autoindex_steps,
            reprepares,
            rows_returned,
            changing,
            rows_changed,
            pages_read,
            pages_written,
        ] = sums;
        Self {
            measured,
            steps,
            steps_max,
            scan_steps,
            sorts,
            autoindex_steps,
            reprepares,
            rows_returned,
            changing,
            rows_changed,
            pages_read,
            pages_written,
        }
    }

    fn add(&mut self, other: &Self) {
        self.measured += other.measured;
        self.steps += other.steps;
        self.steps_max = self.steps_max.max(other.steps_max);
        self.scan_steps += other.scan_steps;
        self.sorts += other.sorts;
        self.autoindex_steps += other.autoindex_steps;
        self.reprepares += other.reprepares;
        self.rows_returned += other.rows_returned;
        self.changing += other.changing;
        self.rows_changed += other.rows_changed;
        self.pages_read += other.pages_read;
        self.pages_written += other.pages_written;
    }
}

/// The cost of statements, by minute.
#[derive(Debug, Default)]
pub(crate) struct CostSeries {
    cells: HashMap<CostKey, CostCell>,
    bins: HashMap<CostBinKey, f64>,
}

impl CostSeries {
    /// Counts a span of a statement. What a composite cost is the sum over its calls.
    pub(crate) fn add(&mut self, statement: i64, seen: Observation, cost: &Cost) {
        if seen.count <= 0.0 || seen.of <= 0 {
            return;
        }
        let bucket = bucket(seen.ts, LEVELS[0]);
        let weight = seen.count / seen.of as f64;
        let mean = cost.steps / seen.of;
        let times = |count: i64| count as f64 * weight;
        let cell = CostCell {
            measured: seen.count,
            steps: times(cost.steps),
            steps_max: mean,
            scan_steps: times(cost.scan_steps),
            sorts: times(cost.sorts),
            autoindex_steps: times(cost.autoindex_steps),
            reprepares: times(cost.reprepares),
            rows_returned: times(cost.rows_returned),
            changing: cost.rows_changed.map_or(0.0, |_| seen.count),
            rows_changed: cost.rows_changed.map_or(0.0, times),
            pages_read: times(cost.pages_read),
            pages_written: times(cost.pages_written),
        };
        let key = CostKey { statement, bucket };
        self.cells.entry(key).or_default().add(&cell);
        let bin = CostBinKey {
            statement,
            bucket,
            bin: bin(mean),
        };
        *self.bins.entry(bin).or_default() += seen.count;
    }

    pub(super) fn absorb(&mut self, other: &Self) {
        for (key, cell) in &other.cells {
            self.put_cell(*key, cell);
        }
        for (key, count) in &other.bins {
            self.put_bin(*key, *count);
        }
    }

    /// Adds numbers that were counted elsewhere.
    pub(crate) fn put_cell(&mut self, key: CostKey, cell: &CostCell) {
        self.cells.entry(key).or_default().add(cell);
    }

    /// Adds a bar that was counted elsewhere.
    pub(crate) fn put_bin(&mut self, key: CostBinKey, count: f64) {
        *self.bins.entry(key).or_default() += count;
    }

    /// The cells of a level, sorted.
    pub(crate) fn cells(&self, level: i64) -> Vec<(CostKey, CostCell)> {
        let of_level = |key: &CostKey| CostKey {
            bucket: coarser(key.bucket, level),
            ..*key
        };
        merged(&self.cells, of_level, CostCell::add)
    }

    /// The bins of a level, sorted.
    pub(crate) fn bins(&self, level: i64) -> Vec<(CostBinKey, f64)> {
        let of_level = |key: &CostBinKey| CostBinKey {
            bucket: coarser(key.bucket, level),
            ..*key
        };
        merged(&self.bins, of_level, |sum, count| *sum += count)
    }
}
