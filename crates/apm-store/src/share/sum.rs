//! Rows of a delta that are added up, where they can be.

use super::callers;
use super::delta::{self, Delta};
use crate::dictionary::Given;
use crate::id::StoredId;
use crate::rollup::{
    BinKey, CallKey, Cell, CellKey, CostBinKey, CostCell, CostKey, Rollup, Series, VitalKey,
};

/// Counts and sums that are believed.
const MOST: f64 = 1e18;

/// Events of one row, which is about a minute, that are believed: all rows that are added up together stay far below
/// the largest number.
const MOST_EVENTS: i64 = 1_000_000_000;

/// Bins that there are: see [`crate::rollup::bin`].
pub(super) const BINS: i32 = 2300;

/// The longest name, bytes: agents' keywords have 1024 characters.
pub(super) const LONGEST: usize = 4096;

/// Minutes that are taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// The first one, seconds since the epoch.
    pub(crate) oldest: i64,
    /// The last one.
    pub(crate) newest: i64,
}

/// Ids in the order of the lists of a delta; none of those that cannot be.
pub(super) struct Ids {
    pub(super) services: Vec<Option<Given>>,
    pub(super) transactions: Vec<Option<i64>>,
    pub(super) results: Vec<Option<i64>>,
    pub(super) destinations: Vec<Option<i64>>,
    pub(super) statements: Vec<Option<i64>>,
    pub(super) errors: Vec<Option<i64>>,
}

/// Counts that are added up.
pub(super) struct Sum {
    pub(super) rollup: Rollup,
    bounds: Bounds,
    pub(super) dropped: u64,
}

impl Sum {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            rollup: Rollup::default(),
            bounds,
            dropped: 0,
        }
    }

    /// Whether a row is of a minute that is taken, and its count can be. One that is not is counted.
    pub(super) fn takes(&mut self, bucket: i64, count: f64) -> bool {
        let Bounds { oldest, newest } = self.bounds;
        let takes =
            bucket.rem_euclid(60) == 0 && (oldest..=newest).contains(&bucket) && is_sum(count);
        self.dropped += u64::from(!takes);
        takes
    }

    /// The id of a name, for a row that is taken.
    pub(super) fn id<T: Copy>(
        &mut self,
        ids: &[Option<T>],
        at: usize,
        bucket: i64,
        count: f64,
    ) -> Option<T> {
        let id = get(ids, at);
        if id.is_none() {
            self.dropped += 1;
            return None;
        }
        self.takes(bucket, count).then_some(id).flatten()
    }

    pub(super) fn series(
        &mut self,
        ids: &[Option<i64>],
        results: &[Option<i64>],
        (cells, bins): (&[delta::Cell], &[delta::Bin]),
        series: impl Fn(&mut Rollup) -> &mut Series,
    ) {
        for (at, bucket, result, outcome, count, n, sum, max) in cells {
            let Some(id) = self.id(ids, *at, *bucket, *count) else {
                continue;
            };
            // Places are counted from 1, as 0 stands for no result. A row whose result is not known counts without one.
            let result = match result {
                0 => 0,
                place => get(results, place - 1).unwrap_or_default(),
            };
            if !(0..=2).contains(outcome) || !is_number(*n) || *max < 0 || !is_sum(*sum) {
                self.dropped += 1;
                continue;
            }
            let key = CellKey {
                id,
                bucket: *bucket,
                result,
                outcome: *outcome,
            };
            let cell = Cell {
                count: *count,
                n: *n,
                sum: *sum,
                max: *max,
            };
            series(&mut self.rollup).put_cell(key, &cell);
        }
        for (at, bucket, outcome, bin, count) in bins {
            let Some(id) = self.id(ids, *at, *bucket, *count) else {
                continue;
            };
            if !(0..=2).contains(outcome) || !(0..BINS).contains(bin) {
                self.dropped += 1;
                continue;
            }
            let key = BinKey {
                id,
                bucket: *bucket,
                outcome: *outcome,
                bin: *bin,
            };
            series(&mut self.rollup).put_bin(key, *count);
        }
    }

    pub(super) fn others(&mut self, delta: &Delta, ids: &Ids) {
        for (at, bucket, steps_max, sums) in &delta.cost {
            let sums: Option<[f64; CostCell::SUMS]> = sums.as_slice().try_into().ok();
            let sums = sums.filter(|sums| sums.iter().all(|sum| is_sum(*sum)));
            // Sums that cannot be are NaN here, which `takes` refuses and counts as dropped.
            let measured = sums.map_or(f64::NAN, |sums| sums[0]);
            if let Some(statement) = self.id(&ids.statements, *at, *bucket, measured)
                && let Some(sums) = sums
            {
                let key = CostKey {
                    statement,
                    bucket: *bucket,
                };
                let cell = CostCell::from_sums((*steps_max).max(0), sums);
                self.rollup.cost.put_cell(key, &cell);
            }
        }
        for (at, bucket, bin, count) in &delta.cost_bins {
            if let Some(statement) = self.id(&ids.statements, *at, *bucket, *count) {
                let key = CostBinKey {
                    statement,
                    bucket: *bucket,
                    bin: (*bin).clamp(0, BINS),
                };
                self.rollup.cost.put_bin(key, *count);
            }
        }
        for (at, callee, bucket, outcome, count, n, sum, max) in &delta.calls {
            let Some(destination) = self.id(&ids.destinations, *at, *bucket, *count) else {
                continue;
            };
            let callee = get(&ids.services, *callee);
            let is_sound = (0..=2).contains(outcome) && is_number(*n) && is_sum(*sum);
            let Some(callee) = callee.filter(|_| is_sound) else {
                self.dropped += 1;
                continue;
            };
            let key = CallKey {
                destination,
                bucket: *bucket,
                callee: callee.id,
                outcome: *outcome,
            };
            let cell = Cell {
                count: *count,
                n: *n,
                sum: *sum,
                max: (*max).max(0),
            };
            self.rollup.calls.put(key, &cell);
        }
        for (at, bucket, vital, rating, bin, count) in &delta.vitals {
            let is_vital =
                (1..=7).contains(vital) && (0..=2).contains(rating) && (0..BINS).contains(bin);
            if let Some(group) = self.id(&ids.transactions, *at, *bucket, *count)
                && is_vital
            {
                let key = VitalKey {
                    group,
                    bucket: *bucket,
                    vital: *vital,
                    rating: *rating,
                    bin: *bin,
                };
                self.rollup.vitals.put(key, *count);
            }
        }
        for (at, bucket, n) in &delta.error {
            // A count that cannot be is counted like a sum that cannot.
            let count = if is_number(*n) { *n as f64 } else { f64::NAN };
            if let Some(group) = self.id(&ids.errors, *at, *bucket, count) {
                self.rollup.put_errors(group, *bucket, *n);
            }
        }
    }

    pub(super) fn callers(&mut self, delta: &Delta, ids: &Ids) -> Vec<callers::Caller> {
        let mut callers = Vec::with_capacity(delta.callers.len());
        for one in &delta.callers {
            let [calls, most, sum, tx_sum, looped] = one.sums;
            let Some(group) = self.id(&ids.transactions, one.transaction, one.minute, calls) else {
                continue;
            };
            // 0 stands for all statements of a request together; places are counted from 1.
            let statement = match one.statement {
                0 => Some(0),
                place => get(&ids.statements, place - 1),
            };
            let are_sums = [most, sum, tx_sum, looped].into_iter().all(is_sum);
            let are_numbers = one.requests > 0 && is_number(one.requests) && is_number(one.follows);
            let is_whole = are_sums && are_numbers && one.trace.len() <= LONGEST;
            let Some(statement) = statement.filter(|_| is_whole) else {
                self.dropped += 1;
                continue;
            };
            callers.push(callers::Caller {
                bucket: one.minute,
                group,
                statement,
                requests: one.requests,
                calls,
                most,
                sum,
                tx_sum,
                follows: one.follows,
                looped,
                trace: StoredId::from(one.trace.as_str()),
            });
        }
        callers
    }
}

pub(super) fn get<T: Copy>(ids: &[Option<T>], at: usize) -> Option<T> {
    ids.get(at).copied().flatten()
}

/// Whether a weighted count or a sum can be one.
pub(super) fn is_sum(sum: f64) -> bool {
    (0.0..=MOST).contains(&sum)
}

/// Whether a number of events can be one.
pub(super) fn is_number(n: i64) -> bool {
    (0..=MOST_EVENTS).contains(&n)
}
