//! Percentiles: exact where few values exist, from log histograms where many do.
//!
//! A histogram's bin is `ceil(ln(v) / ln(γ))` with γ = 1.02; its representative differs from any value
//! in it by at most (γ − 1) / (γ + 1) < 1 %.

use std::collections::HashMap;
use std::sync::Arc;

use apm_store::rollup;
use schemars::JsonSchema;
use serde::Serialize;

/// With more values than this, percentiles come from the histogram.
pub const EXACT_LIMIT: i64 = 10_000;

/// A mean of equal values may differ from them by this share: weighted sums are rounded.
const EQUAL: f64 = 1e-9;

/// The percentiles that charts and tables show, µs.
#[derive(Debug, Clone, Copy, Default, PartialEq, JsonSchema, Serialize)]
pub struct Percentiles {
    /// Median.
    pub p50: f64,
    /// 75th.
    pub p75: f64,
    /// 90th.
    pub p90: f64,
    /// 95th.
    pub p95: f64,
    /// 99th.
    pub p99: f64,
    /// 99.9th.
    pub p999: f64,
}

impl Percentiles {
    /// Those of values. `at` answers the value at a share of them; it is asked in ascending order.
    pub(super) fn of(mut at: impl FnMut(f64) -> Option<f64>) -> Option<Self> {
        Some(Self {
            p50: at(0.5)?,
            p75: at(0.75)?,
            p90: at(0.9)?,
            p95: at(0.95)?,
            p99: at(0.99)?,
            p999: at(0.999)?,
        })
    }

    /// Those of a histogram, with what is known exactly: no percentile exceeds the longest duration, and where the
    /// mean equals the longest, all durations are equal. A bin's representative differs from its values by up to 1 %.
    #[must_use]
    pub fn within(self, mean: Option<f64>, max: i64) -> Self {
        let bounded = |value| bounded(value, mean, max);
        Self {
            p50: bounded(self.p50),
            p75: bounded(self.p75),
            p90: bounded(self.p90),
            p95: bounded(self.p95),
            p99: bounded(self.p99),
            p999: bounded(self.p999),
        }
    }
}

/// A percentile of a histogram, with what is known exactly: see [`Percentiles::within`].
pub(super) fn bounded(percentile: f64, mean: Option<f64>, max: i64) -> f64 {
    let max = max as f64;
    let are_equal = mean.is_some_and(|mean| mean >= max * (1.0 - EQUAL));
    if are_equal { max } else { percentile.min(max) }
}

/// The value that stands for a histogram's bin, µs.
#[must_use]
pub fn representative(bin: i64) -> f64 {
    rollup::representative(i32::try_from(bin).unwrap_or(i32::MAX))
}

/// The bin of a duration, µs.
#[must_use]
pub fn bin(micros: i64) -> i64 {
    rollup::bin(micros).into()
}

/// Nearest rank: the smallest value that at least a share `q` of the values do not exceed.
#[must_use]
pub fn nearest_rank<T: Copy>(sorted: &[T], q: f64) -> Option<T> {
    // Products such as 0.95 × 20 may be a hair above their whole number.
    let rank = (q * sorted.len() as f64 - 1e-9).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied()
}

/// Percentiles by key, then by bucket.
pub(super) type ByKey = HashMap<Arc<str>, HashMap<i64, Percentiles>>;

/// Number of rows to rank, if each of them stands for itself alone and they are few enough.
pub(super) fn ranked(count: f64, n: i64) -> Option<i64> {
    ((count - n as f64).abs() < 1e-6 && n <= EXACT_LIMIT).then_some(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_rank_is_a_value_that_was_measured() {
        let values: Vec<i64> = (1..=100).collect();
        for (q, expected) in [(0.0, 1), (0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100)] {
            assert_eq!(nearest_rank(&values, q), Some(expected), "{q}");
        }
        assert_eq!(nearest_rank(&[7], 0.5), Some(7));
        assert_eq!(nearest_rank(&[1, 2], 0.5), Some(1));
        assert_eq!(nearest_rank(&[1, 2, 3], 0.95), Some(3));
        assert_eq!(nearest_rank::<i64>(&[], 0.5), None);
    }

    #[test]
    fn percentiles_of_equal_values_are_that_value_and_none_exceeds_the_maximum() {
        for micros in [0, 1, 3, 997, 40_000, 600_000_000_i64] {
            let one = representative(bin(micros));
            let found = Percentiles::of(|_| Some(one)).expect("one value");
            // The sum of each value times its weight.
            let (mut sum, mut count) = (0.0, 0.0);
            for _ in 0..30_000 {
                sum += micros as f64 * 3.3;
                count += 3.3;
            }
            let equal = found.within(Some(sum / count), micros);
            let want = micros as f64;
            assert_eq!((equal.p50, equal.p95, equal.p99), (want, want, want));
            assert_eq!((equal.p75, equal.p90, equal.p999), (want, want, want));
            let mixed = found.within(Some(want / 2.0), micros);
            assert!(mixed.p99 <= want, "{micros}: {mixed:?}");
        }
        let spread = Percentiles {
            p50: 10.1,
            p95: 99.0,
            p99: 100.7,
            ..Percentiles::default()
        };
        let found = spread.within(Some(20.0), 100);
        assert_eq!((found.p50, found.p95, found.p99), (10.1, 99.0, 100.0));
    }

    #[test]
    fn a_bin_stands_for_its_values_within_one_percent() {
        for micros in [1, 2, 3, 10, 999, 1_000, 37_120, 1_000_000, 600_000_000] {
            let value = representative(bin(micros));
            let off = (value - micros as f64).abs() / micros as f64;
            assert!(off <= 0.02 / 2.02 + 1e-9, "{micros}: {value}, {off}");
        }
        assert_eq!(bin(0), 0);
        assert_eq!(bin(-5), 0);
    }
}
