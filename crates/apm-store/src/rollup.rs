//! The counts that a batch of events adds to the rollups: made in memory, written in one go.
//!
//! Counts by minute of event time, for transactions, statements, destinations, error groups, breakdowns, web vitals,
//! instances and metrics; [`LEVELS`] above the minute are made from it when it is written, so that all levels always
//! agree. Counts and sums are weighted by 1 / sample rate; a rate of 0 counts nothing. A composite span counts as often
//! as it stands for.
//!
//! Durations go into logarithmic bins (γ = 1.02, as in DDSketch, <https://arxiv.org/abs/1908.10693>), which can be
//! added up: any percentile read from them is at most 1 % off.
//!
//! This module knows no names (everything is counted by id), and no database.

mod calls;
mod cost;
mod events;
mod instances;
mod journal;
mod metrics;
mod readings;
mod vitals;

use crate::event::Outcome;
pub(crate) use calls::{CallKey, CallSeries};
pub(crate) use cost::{CostBinKey, CostCell, CostKey, CostSeries};
pub(crate) use events::EventCounts;
pub use events::{ENTRY, kind_code};
pub use instances::longest_of;
pub(crate) use instances::{Gauge, InstanceBinKey, InstanceCell, InstanceKey, InstanceSeries};
pub(crate) use metrics::{
    Increase, LARGEST, MetricBinKey, MetricCell, MetricKey, MetricRollup, is_bin,
};
pub use metrics::{bin_value, value_bin};
pub(crate) use readings::{Owner, Point, Reading};
pub use vitals::{Rating, Vital};
pub(crate) use vitals::{VitalKey, VitalSeries};

/// Ids and times are short keys, which this hashes in a few instructions; its start is another one in each process.
type HashMap<K, V> = std::collections::HashMap<K, V, foldhash::fast::RandomState>;

/// Widths of buckets, seconds.
pub const LEVELS: [i64; 3] = [60, 600, 3600];

/// Ratio between the bounds of a bin.
const GAMMA: f64 = 1.02;

/// No event stands for more than this many: keeps sums finite whatever rate an agent sends.
const MAX_WEIGHT: f64 = 1e9;

/// The bin of a duration: `ceil(ln(v) / ln(γ))`, and 0 for what is no longer than a unit.
pub fn bin(duration: i64) -> i32 {
    if duration <= 1 {
        return 0;
    }
    ((duration as f64).ln() / GAMMA.ln()).ceil() as i32
}

/// The duration that stands for all in a bin: `2 γ^bin / (γ + 1)`, at most 1 % from any of them.
pub fn representative(bin: i32) -> f64 {
    2.0 * GAMMA.powi(bin) / (GAMMA + 1.0)
}

/// The start of the bucket that holds a time. `ts`: µs since the epoch; `level`: seconds; result: seconds.
pub fn bucket(ts: i64, level: i64) -> i64 {
    ts.div_euclid(level * 1_000_000) * level
}

/// The number of an outcome in the database: never to be changed.
pub(crate) fn outcome_code(outcome: Outcome) -> i32 {
    match outcome {
        Outcome::Failure => 0,
        Outcome::Success => 1,
        Outcome::Unknown => 2,
    }
}

/// The number of events like it that an event stands for: 1 / sample rate, 1 where none was sent, 0 where it is 0.
pub fn weight(sample_rate: Option<f64>) -> f64 {
    crate::event::weight(sample_rate).min(MAX_WEIGHT)
}

/// One observation of a series.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Observation {
    /// When, µs since the epoch.
    pub(crate) ts: i64,
    /// The id of the transaction's result; 0 for none and for anything but transactions.
    pub(crate) result: i64,
    /// Its outcome.
    pub(crate) outcome: Outcome,
    /// The number of events that it stands for: weight × composite count.
    pub(crate) count: f64,
    /// Rows that were stored for it.
    pub(crate) n: i64,
    /// The sum of the durations of those that were seen, µs, not weighted.
    pub(crate) sum: i64,
    /// Number of durations in the sum.
    pub(crate) of: i64,
}

/// The key of a row: whose numbers, when, and their outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct CellKey {
    /// The group, statement or destination.
    pub(crate) id: i64,
    /// Start of the bucket, seconds since the epoch.
    pub(crate) bucket: i64,
    /// The id of a transaction's result, 0 for none.
    pub(crate) result: i64,
    /// See [`outcome_code`].
    pub(crate) outcome: i32,
}

/// Numbers that add up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Cell {
    /// Weighted count.
    pub(crate) count: f64,
    /// Rows.
    pub(crate) n: i64,
    /// Weighted sum of durations, µs.
    pub(crate) sum: f64,
    /// The longest, µs.
    pub(crate) max: i64,
}

impl Cell {
    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.n += other.n;
        self.sum += other.sum;
        self.max = self.max.max(other.max);
    }
}

/// A bar of a histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct BinKey {
    /// The group, statement or destination.
    pub(crate) id: i64,
    /// Start of the bucket, seconds since the epoch.
    pub(crate) bucket: i64,
    /// See [`outcome_code`].
    pub(crate) outcome: i32,
    /// See [`bin`].
    pub(crate) bin: i32,
}

/// The counts of one kind of thing, by minute.
#[derive(Debug, Default)]
pub(crate) struct Series {
    cells: HashMap<CellKey, Cell>,
    bins: HashMap<BinKey, f64>,
}

impl Series {
    /// Counts one.
    pub(crate) fn add(&mut self, id: i64, seen: Observation) {
        if seen.count <= 0.0 || seen.of <= 0 {
            return;
        }
        let bucket = bucket(seen.ts, LEVELS[0]);
        let outcome = outcome_code(seen.outcome);
        // The single durations of a composite are not known: it counts as so many calls of their mean.
        let mean = seen.sum / seen.of;
        let cell = self
            .cells
            .entry(CellKey {
                id,
                bucket,
                result: seen.result,
                outcome,
            })
            .or_default();
        cell.count += seen.count;
        cell.n += seen.n;
        // `count` is weight × `of`, so this is the sum of what was seen times its weight.
        cell.sum += seen.sum as f64 * (seen.count / seen.of as f64);
        cell.max = cell.max.max(mean);
        *self
            .bins
            .entry(BinKey {
                id,
                bucket,
                outcome,
                bin: bin(mean),
            })
            .or_default() += seen.count;
    }

    fn absorb(&mut self, other: &Self) {
        for (key, cell) in &other.cells {
            self.put_cell(*key, cell);
        }
        for (key, count) in &other.bins {
            self.put_bin(*key, *count);
        }
    }

    /// Adds numbers that were counted elsewhere.
    pub(crate) fn put_cell(&mut self, key: CellKey, cell: &Cell) {
        self.cells.entry(key).or_default().add(cell);
    }

    /// Adds a bar that was counted elsewhere.
    pub(crate) fn put_bin(&mut self, key: BinKey, count: f64) {
        *self.bins.entry(key).or_default() += count;
    }

    /// The cells of a level, sorted, for writes that go forward.
    pub(crate) fn cells(&self, level: i64) -> Vec<(CellKey, Cell)> {
        let of_level = |key: &CellKey| CellKey {
            bucket: coarser(key.bucket, level),
            ..*key
        };
        merged(&self.cells, of_level, Cell::add)
    }

    /// The bins of a level, sorted.
    pub(crate) fn bins(&self, level: i64) -> Vec<(BinKey, f64)> {
        let of_level = |key: &BinKey| BinKey {
            bucket: coarser(key.bucket, level),
            ..*key
        };
        merged(&self.bins, of_level, |sum, count| *sum += count)
    }
}

/// Self time by kind of span, from breakdown metrics.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct BreakdownKey {
    /// The transaction group.
    pub(crate) tx_group: i64,
    /// Start of the bucket, seconds since the epoch.
    pub(crate) bucket: i64,
    /// `span.type`
    pub(crate) span_type: String,
    /// `span.subtype`, or nothing.
    pub(crate) subtype: String,
}

/// The counts that a batch adds.
#[derive(Debug, Default)]
pub(crate) struct Rollup {
    /// Transaction groups.
    pub(crate) tx: Series,
    /// Statements.
    pub(crate) statement: Series,
    /// The work of SQLite for statements.
    pub(crate) cost: CostSeries,
    /// Destinations.
    pub(crate) destination: Series,
    /// Calls of destinations by the service that did the work.
    pub(crate) calls: CallSeries,
    /// Web vitals of pages.
    pub(crate) vitals: VitalSeries,
    /// Instances of services.
    pub(crate) instances: InstanceSeries,
    /// Series of metrics, but for [`Self::grown`].
    pub(crate) metrics: MetricRollup,
    /// The growth of what counts from a start.
    pub(crate) grown: MetricRollup,
    /// The values that it grew to; [`Self::absorb`] leaves them out.
    pub(crate) readings: Vec<Reading>,
    /// Events that are stored; [`Self::absorb`] leaves them out.
    pub(crate) events: EventCounts,
    errors: HashMap<(i64, i64), i64>,
    breakdown: HashMap<BreakdownKey, (f64, f64)>,
}

impl Rollup {
    /// Adds what another one holds, but for [`Self::events`] and [`Self::readings`]: these are never put off.
    pub(crate) fn absorb(&mut self, other: &Self) {
        self.tx.absorb(&other.tx);
        self.statement.absorb(&other.statement);
        self.cost.absorb(&other.cost);
        self.destination.absorb(&other.destination);
        self.calls.absorb(&other.calls);
        self.vitals.absorb(&other.vitals);
        self.instances.absorb(&other.instances);
        self.metrics.absorb(&other.metrics);
        self.grown.absorb(&other.grown);
        for ((group, bucket), n) in &other.errors {
            self.put_errors(*group, *bucket, *n);
        }
        for (key, (count, sum)) in &other.breakdown {
            let cell = self.breakdown.entry(key.clone()).or_default();
            cell.0 += count;
            cell.1 += sum;
        }
    }

    /// Counts an error of a group. `ts`: µs.
    pub(crate) fn add_error(&mut self, group: i64, ts: i64) {
        *self
            .errors
            .entry((group, bucket(ts, LEVELS[0])))
            .or_default() += 1;
    }

    /// Adds errors of a group that were counted elsewhere.
    pub(crate) fn put_errors(&mut self, group: i64, bucket: i64, n: i64) {
        *self.errors.entry((group, bucket)).or_default() += n;
    }

    /// Adds self time. `sum`: µs. What is not a finite positive number does not count.
    pub(crate) fn add_breakdown(&mut self, key: BreakdownKey, count: f64, sum: f64) {
        const MOST: f64 = 1e15;
        if (0.0..=MOST).contains(&count) && (0.0..=MOST).contains(&sum) {
            let cell = self.breakdown.entry(key).or_default();
            cell.0 += count;
            cell.1 += sum;
        }
    }

    /// `((group, bucket), n)` of a level, sorted.
    pub(crate) fn errors(&self, level: i64) -> Vec<((i64, i64), i64)> {
        let of_level = |(group, bucket): &(i64, i64)| (*group, coarser(*bucket, level));
        merged(&self.errors, of_level, |sum, n| *sum += n)
    }

    /// Count and sum by key of a level, sorted.
    pub(crate) fn breakdown(&self, level: i64) -> Vec<(BreakdownKey, (f64, f64))> {
        let of_level = |key: &BreakdownKey| BreakdownKey {
            bucket: coarser(key.bucket, level),
            ..key.clone()
        };
        merged(&self.breakdown, of_level, |sum, (count, time)| {
            sum.0 += count;
            sum.1 += time;
        })
    }

    /// All buckets of a level that something was added to, sorted.
    pub(crate) fn buckets(&self, level: i64) -> Vec<i64> {
        // `cost` adds no buckets: each statement with a cost is in `statement` too, in the same minute.
        let series = [&self.tx, &self.statement, &self.destination];
        let mut buckets: Vec<i64> = series
            .iter()
            .flat_map(|series| series.cells.keys().map(|key| key.bucket))
            .chain(self.calls.minutes())
            .chain(self.errors.keys().map(|(_, bucket)| *bucket))
            .chain(self.breakdown.keys().map(|key| key.bucket))
            .chain(self.vitals.buckets())
            .chain(self.instances.buckets())
            .chain(self.metrics.buckets())
            .chain(self.grown.buckets())
            .map(|bucket| coarser(bucket, level))
            .collect();
        buckets.sort_unstable();
        buckets.dedup();
        buckets
    }
}

fn coarser(bucket: i64, level: i64) -> i64 {
    bucket.div_euclid(level) * level
}

/// Counts of minutes under the keys that they have on another level, sorted.
fn merged<K: Ord, V: Copy>(
    minutes: &HashMap<K, V>,
    of_level: impl Fn(&K) -> K,
    add: impl Fn(&mut V, &V),
) -> Vec<(K, V)> {
    let mut pairs: Vec<(K, V)> = minutes
        .iter()
        .map(|(key, value)| (of_level(key), *value))
        .collect();
    pairs.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    // `dedup_by` passes the later one first, and that one goes.
    pairs.dedup_by(|(key, value), (kept, sum)| {
        let same = key == kept;
        if same {
            add(sum, value);
        }
        same
    });
    pairs
}

#[cfg(test)]
mod tests;
