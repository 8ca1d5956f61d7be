//! Series of metrics by minute: values of gauges, increases of counters, distributions of histograms.
//!
//! An increase belongs to the whole time in which it arose, which need not be a minute of the clock: it is spread over
//! the minutes that it touches. So a rate does not jump where reports and minutes drift.

use super::{GAMMA, HashMap, LEVELS, bucket, coarser, merged};

/// The bin of nothing at all, below all bins of positive values.
const ZERO: i32 = -100_000;

/// The place from which the bins of negative values go down.
const NEGATIVE: i32 = -200_000;

/// The largest bin of positive values, and the smallest negated: that of 1e308 is 35 814.
const MOST: i32 = 40_000;

/// Beyond this a value is cut, so that sums stay finite.
pub(crate) const LARGEST: f64 = 1e290;

/// The longest time that an increase is spread over, µs.
const LONGEST: i64 = 3_600_000_000;

/// Bars that one distribution adds at most beside its own: one that would add more stays in its last minute.
const SPREAD_BARS: usize = 512;

/// The bin of a value of any size and sign: [`super::bin`] knows whole microseconds only.
#[expect(clippy::cast_possible_truncation, reason = "a cast saturates")]
pub fn value_bin(value: f64) -> i32 {
    let of_positive = |value: f64| ((value.ln() / GAMMA.ln()).ceil() as i32).clamp(-MOST, MOST);
    if value > 0.0 {
        of_positive(value)
    } else if value < 0.0 {
        // The greater the amount, the lower the bin: bins have the order of their values.
        NEGATIVE - of_positive(-value)
    } else {
        ZERO
    }
}

/// Whether there is such a bin.
pub(crate) fn is_bin(bin: i32) -> bool {
    let is_size = |bin: i32| (-MOST..=MOST).contains(&bin);
    is_size(bin) || bin == ZERO || NEGATIVE.checked_sub(bin).is_some_and(is_size)
}

/// The value that stands for all in a bin, at most 1 % from any of them.
pub fn bin_value(bin: i32) -> f64 {
    if bin == ZERO {
        0.0
    } else if bin < ZERO {
        -super::representative(NEGATIVE - bin)
    } else {
        super::representative(bin)
    }
}

/// The key of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct MetricKey {
    pub(crate) series: i64,
    /// Start of the bucket, seconds since the epoch.
    pub(crate) bucket: i64,
}

/// The key of a bar of a histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct MetricBinKey {
    pub(crate) series: i64,
    /// Start of the bucket, seconds since the epoch.
    pub(crate) bucket: i64,
    /// See [`value_bin`].
    pub(crate) bin: i32,
}

/// Numbers of one series in one bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct MetricCell {
    /// Samples.
    pub(crate) n: i64,
    /// Of a gauge the values; of a counter the seconds in which the sum arose; of a distribution its values.
    pub(crate) count: f64,
    /// Of a gauge the sum of its values; of a counter the increase; of a distribution the sum of its values.
    pub(crate) sum: f64,
    /// The least value, where it is known.
    pub(crate) min: Option<f64>,
    /// The greatest value, where it is known.
    pub(crate) max: Option<f64>,
}

impl MetricCell {
    fn add(&mut self, other: &Self) {
        self.n += other.n;
        self.count += other.count;
        self.sum += other.sum;
        self.min = either(self.min, other.min, f64::min);
        self.max = either(self.max, other.max, f64::max);
    }
}

fn either(one: Option<f64>, other: Option<f64>, pick: fn(f64, f64) -> f64) -> Option<f64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(pick(one, other)),
        (one, other) => one.or(other),
    }
}

/// The growth of a counter or distribution between two times.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Increase {
    /// When it began, µs since the epoch; nothing where that is not known.
    pub(crate) from: Option<i64>,
    /// Values of a distribution.
    pub(crate) count: f64,
    /// Of a counter what was added, of a distribution the sum of the values.
    pub(crate) sum: f64,
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
    /// Bins and their counts.
    pub(crate) bins: Vec<(i32, f64)>,
}

/// Series of metrics, by minute.
#[derive(Debug, Default)]
pub(crate) struct MetricRollup {
    cells: HashMap<MetricKey, MetricCell>,
    bins: HashMap<MetricBinKey, f64>,
}

impl MetricRollup {
    /// A value of a gauge. `ts`: µs.
    pub(crate) fn value(&mut self, series: i64, ts: i64, value: f64) {
        let value = cut(value);
        let cell = MetricCell {
            n: 1,
            count: 1.0,
            sum: value,
            min: Some(value),
            max: Some(value),
        };
        self.add(series, bucket(ts, LEVELS[0]), cell);
    }

    /// The growth of a counter until `ts`.
    pub(crate) fn increase(&mut self, series: i64, ts: i64, increase: &Increase) {
        for Part {
            bucket,
            share,
            seconds,
            n,
        } in parts(increase.from, ts)
        {
            let cell = MetricCell {
                n,
                count: seconds,
                sum: cut(increase.sum) * share,
                ..MetricCell::default()
            };
            self.add(series, bucket, cell);
        }
    }

    /// The values that a distribution grew by until `ts`.
    pub(crate) fn distribution(&mut self, series: i64, ts: i64, increase: &Increase) {
        let mut parts = parts(increase.from, ts);
        if parts.len() * increase.bins.len() > SPREAD_BARS {
            // All of it counts in the last minute: many bars in many minutes would be rows without end.
            parts.drain(..parts.len() - 1);
            parts[0].share = 1.0;
        }
        for Part {
            bucket, share, n, ..
        } in parts
        {
            let cell = MetricCell {
                n,
                count: cut(increase.count) * share,
                sum: cut(increase.sum) * share,
                min: increase.min.map(cut),
                max: increase.max.map(cut),
            };
            self.add(series, bucket, cell);
            for (bin, count) in &increase.bins {
                let key = MetricBinKey {
                    series,
                    bucket,
                    bin: *bin,
                };
                self.put_bin(key, cut(*count) * share);
            }
        }
    }

    fn add(&mut self, series: i64, bucket: i64, cell: MetricCell) {
        self.put_cell(MetricKey { series, bucket }, &cell);
    }

    /// Adds numbers that were counted elsewhere.
    pub(crate) fn put_cell(&mut self, key: MetricKey, cell: &MetricCell) {
        self.cells.entry(key).or_default().add(cell);
    }

    /// Adds a bar that was counted elsewhere.
    pub(crate) fn put_bin(&mut self, key: MetricBinKey, count: f64) {
        *self.bins.entry(key).or_default() += count;
    }

    pub(super) fn absorb(&mut self, other: &Self) {
        for (key, cell) in &other.cells {
            self.put_cell(*key, cell);
        }
        for (key, count) in &other.bins {
            self.put_bin(*key, *count);
        }
    }

    /// The cells of a level, sorted.
    pub(crate) fn cells(&self, level: i64) -> Vec<(MetricKey, MetricCell)> {
        let of_level = |key: &MetricKey| MetricKey {
            bucket: coarser(key.bucket, level),
            ..*key
        };
        merged(&self.cells, of_level, MetricCell::add)
    }

    /// The bars of a level, sorted.
    pub(crate) fn bins(&self, level: i64) -> Vec<(MetricBinKey, f64)> {
        let of_level = |key: &MetricBinKey| MetricBinKey {
            bucket: coarser(key.bucket, level),
            ..*key
        };
        merged(&self.bins, of_level, |sum, count| *sum += count)
    }

    pub(super) fn buckets(&self) -> impl Iterator<Item = i64> {
        self.cells.keys().map(|key| key.bucket)
    }
}

/// A number that can be added up. What is no number adds nothing.
fn cut(value: f64) -> f64 {
    if value.is_nan() {
        0.0
    } else {
        value.clamp(-LARGEST, LARGEST)
    }
}

/// The part of an increase that falls into a minute.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Part {
    bucket: i64,
    share: f64,
    seconds: f64,
    /// 1 in the last minute, where the sample itself belongs.
    n: i64,
}

/// The minutes between two times, the last one last. The end is not part of the minute that begins there.
fn parts(from: Option<i64>, to: i64) -> Vec<Part> {
    let Some(from) = from.filter(|from| *from < to) else {
        return vec![Part {
            bucket: bucket(to, LEVELS[0]),
            share: 1.0,
            seconds: 0.0,
            n: 1,
        }];
    };
    // The last hour of a longer gap gets all of it, so that one sample writes a bounded number of rows.
    let from = from.max(to.saturating_sub(LONGEST));
    let (first, last) = (bucket(from, LEVELS[0]), bucket(to - 1, LEVELS[0]));
    let all = (to - from) as f64;
    let minutes = (first..=last).step_by(60);
    minutes
        .map(|minute| {
            let (start, end) = (minute * 1_000_000, (minute + 60) * 1_000_000);
            let part = (end.min(to) - start.max(from)) as f64;
            Part {
                bucket: minute,
                share: part / all,
                seconds: part / 1e6,
                n: i64::from(minute == last),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_stand_for_values_of_any_size_and_sign_and_keep_their_order() {
        let values = [
            -1e300, -5.0, -0.01, 0.0, 1e-300, 0.000_4, 0.9, 1.0, 17.0, 1e300,
        ];
        assert!(
            ![i32::MIN, -99_999, 40_001, i32::MAX]
                .into_iter()
                .any(is_bin)
        );
        for pair in values.windows(2) {
            assert!(value_bin(pair[0]) < value_bin(pair[1]), "{pair:?}");
        }
        for value in values {
            let off = (bin_value(value_bin(value)) - value).abs();
            assert!(off <= value.abs() * 0.010_1, "{value}: {off}");
            assert!(is_bin(value_bin(value)), "{value}");
        }
    }

    #[test]
    fn an_increase_is_spread_over_the_minutes_in_which_it_arose() {
        let mut rollup = MetricRollup::default();
        let increase = Increase {
            from: Some(50_000_000),
            sum: 60.0,
            ..Increase::default()
        };
        rollup.increase(1, 110_000_000, &increase);
        let cells: Vec<_> = rollup.cells(60);
        let found = cells
            .iter()
            .map(|(key, cell)| (key.bucket, cell.sum, cell.count, cell.n));
        assert_eq!(
            found.collect::<Vec<_>>(),
            [(0, 10.0, 10.0, 0), (60, 50.0, 50.0, 1)]
        );
        let hour = rollup.cells(3600)[0].1;
        assert_eq!((hour.sum, hour.count, hour.n), (60.0, 60.0, 1));
    }

    #[test]
    fn a_sample_at_the_end_of_a_minute_belongs_to_it_and_a_long_gap_is_bounded() {
        assert_eq!(parts(Some(0), 60_000_000).len(), 1);
        assert_eq!(parts(Some(0), 60_000_000)[0].bucket, 0);
        let long = parts(Some(0), 100 * 3_600_000_000);
        assert_eq!(long.len(), 60);
        let whole: f64 = long.iter().map(|part| part.share).sum();
        assert!((whole - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_bars_of_one_distribution_are_bounded() {
        let mut rollup = MetricRollup::default();
        let increase = Increase {
            from: Some(0),
            count: 100.0,
            bins: (0..100).map(|bin| (bin, 1.0)).collect(),
            ..Increase::default()
        };
        rollup.distribution(1, 50 * 60_000_000, &increase);
        assert_eq!(rollup.bins(60).len(), 100);
        assert_eq!(rollup.cells(60)[0].1.count, 100.0);
    }

    #[test]
    fn sums_of_the_largest_numbers_stay_finite() {
        let mut rollup = MetricRollup::default();
        for value in [f64::MAX, f64::MAX, f64::INFINITY, f64::NAN] {
            rollup.value(1, 0, value);
        }
        assert!(rollup.cells(60)[0].1.sum.is_finite());
    }
}
