//! Instances of services: their transactions, and gauges of their processes and machines.

use super::{HashMap, LEVELS, Observation, bin, bucket, coarser, merged};
use crate::event::Outcome;

/// An instance, and the bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct InstanceKey {
    /// The instance.
    pub(crate) instance: i64,
    /// Start of the bucket, seconds since the epoch.
    pub(crate) bucket: i64,
}

/// A bar of the histogram of an instance's durations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct InstanceBinKey {
    /// The instance.
    pub(crate) instance: i64,
    /// Start of the bucket, seconds since the epoch.
    pub(crate) bucket: i64,
    /// See [`bin`].
    pub(crate) bin: i32,
}

/// A gauge of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gauge {
    /// The share of all processors that the process uses.
    Cpu = 0,
    /// The same of the machine.
    Machine = 1,
    /// Bytes that the process uses.
    Memory = 2,
    /// The share of memory that is in use, of the cgroup or of the machine.
    Used = 3,
}

/// The sums before those of gauges.
const REQUESTS: usize = 4;

/// The largest value of a gauge that counts: sums stay far below what another server believes.
const LARGEST: f64 = 1e15;

/// The counts of an instance.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct InstanceCell {
    /// Transactions, those that failed, those that succeeded, and their time in µs, all weighted; then of each
    /// [`Gauge`] the samples and the sum of their values. Deltas have them in this order, so new ones come last.
    pub(crate) sums: [f64; Self::SUMS],
    /// The least and the greatest value of [`Gauge::Used`].
    pub(crate) used: Option<(f64, f64)>,
    /// The duration of the longest transaction, µs; none where there is none, or where not all who counted them tell.
    pub(crate) longest: Option<i64>,
}

impl InstanceCell {
    /// The number of sums.
    pub(crate) const SUMS: usize = REQUESTS + 2 * 4;

    fn add(&mut self, other: &Self) {
        self.longest = longest_of((self.sums[0], self.longest), (other.sums[0], other.longest));
        for (sum, other) in self.sums.iter_mut().zip(other.sums) {
            *sum += other;
        }
        // Ends do not add up: the outer ones of both stay.
        self.used = match (self.used, other.used) {
            (Some((min, max)), Some((least, most))) => Some((min.min(least), max.max(most))),
            (one, other) => one.or(other),
        };
    }
}

/// The longest duration, µs, of two counts of transactions, each with its own longest. It is known where every count
/// that has transactions tells it.
pub fn longest_of(one: (f64, Option<i64>), other: (f64, Option<i64>)) -> Option<i64> {
    match (one.0 > 0.0, other.0 > 0.0) {
        (true, true) => one.1.zip(other.1).map(|(one, other)| one.max(other)),
        (true, false) => one.1,
        (false, _) => other.1,
    }
}

/// The counts of instances, by minute.
#[derive(Debug, Default)]
pub(crate) struct InstanceSeries {
    cells: HashMap<InstanceKey, InstanceCell>,
    bins: HashMap<InstanceBinKey, f64>,
}

impl InstanceSeries {
    /// Counts a transaction.
    pub(crate) fn add(&mut self, instance: i64, seen: Observation) {
        if seen.count <= 0.0 || seen.of <= 0 {
            return;
        }
        let bucket = bucket(seen.ts, LEVELS[0]);
        let mut cell = InstanceCell::default();
        cell.sums[0] = seen.count;
        match seen.outcome {
            Outcome::Failure => cell.sums[1] = seen.count,
            Outcome::Success => cell.sums[2] = seen.count,
            Outcome::Unknown => {}
        }
        cell.sums[3] = seen.sum as f64 * seen.count;
        cell.longest = Some(seen.sum);
        self.put_cell(InstanceKey { instance, bucket }, &cell);
        let key = InstanceBinKey {
            instance,
            bucket,
            bin: bin(seen.sum),
        };
        self.put_bin(key, seen.count);
    }

    /// Counts a sample of a gauge. `ts`: µs. A value that cannot be is left out, because it would make the whole row
    /// one that other servers refuse.
    pub(crate) fn gauge(&mut self, instance: i64, ts: i64, gauge: Gauge, value: f64) {
        if !(0.0..=LARGEST).contains(&value) {
            return;
        }
        let mut cell = InstanceCell::default();
        let place = REQUESTS + 2 * gauge as usize;
        (cell.sums[place], cell.sums[place + 1]) = (1.0, value);
        cell.used = (gauge == Gauge::Used).then_some((value, value));
        let bucket = bucket(ts, LEVELS[0]);
        self.put_cell(InstanceKey { instance, bucket }, &cell);
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
    pub(crate) fn put_cell(&mut self, key: InstanceKey, cell: &InstanceCell) {
        self.cells.entry(key).or_default().add(cell);
    }

    /// Tells the longest transaction of a cell.
    pub(super) fn set_longest(&mut self, key: InstanceKey, longest: i64) {
        if let Some(cell) = self.cells.get_mut(&key) {
            cell.longest = Some(longest);
        }
    }

    /// Adds a bar that was counted elsewhere.
    pub(crate) fn put_bin(&mut self, key: InstanceBinKey, count: f64) {
        *self.bins.entry(key).or_default() += count;
    }

    pub(super) fn buckets(&self) -> impl Iterator<Item = i64> {
        self.cells.keys().map(|key| key.bucket)
    }

    /// The cells of a level, sorted.
    pub(crate) fn cells(&self, level: i64) -> Vec<(InstanceKey, InstanceCell)> {
        let of_level = |key: &InstanceKey| InstanceKey {
            bucket: coarser(key.bucket, level),
            ..*key
        };
        merged(&self.cells, of_level, InstanceCell::add)
    }

    /// The bins of a level, sorted.
    pub(crate) fn bins(&self, level: i64) -> Vec<(InstanceBinKey, f64)> {
        let of_level = |key: &InstanceBinKey| InstanceBinKey {
            bucket: coarser(key.bucket, level),
            ..*key
        };
        merged(&self.bins, of_level, |sum, count| *sum += count)
    }
}
