//! The values of a line from the sums of its series.

use std::collections::BTreeMap;

use apm_store::event::MetricKind;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::series::Axis;
use super::super::total;
use super::super::window::Bucket;

/// The number that several gauges of one line make.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Together {
    /// Their mean.
    #[default]
    Mean,
    /// Their sum.
    Sum,
    /// The least of them.
    Min,
    /// The greatest of them.
    Max,
}

impl Together {
    /// Its name, as addresses and statements have it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Sum => "sum",
            Self::Min => "min",
            Self::Max => "max",
        }
    }
}

/// One line; a value for each of the axis's buckets, nothing where no sample fell into it.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
#[schemars(rename = "MetricLine")]
pub struct Line {
    /// The labels that tell it from the others.
    pub labels: BTreeMap<String, String>,
    /// Of gauges the mean, of counters what was added in a second, of distributions the mean of their values.
    pub values: Vec<Option<f64>>,
    /// The least value in the window, of gauges and distributions that tell it.
    pub min: Option<f64>,
    /// The greatest, likewise.
    pub max: Option<f64>,
    /// The mean of its values.
    pub mean: Option<f64>,
    /// Of counters, the growth in the window; of distributions, the number of values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<f64>,
}

impl Line {
    /// The number by which lines are sorted.
    pub(super) fn weight(&self) -> f64 {
        self.total.or(self.mean).unwrap_or(f64::NEG_INFINITY)
    }
}

/// The sums of one series, one for each bucket.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sums {
    count: Vec<f64>,
    sum: Vec<f64>,
    ends: (Option<f64>, Option<f64>),
    /// Whether a sample fell into the bucket.
    is_there: Vec<bool>,
}

impl Sums {
    pub(super) fn new(buckets: usize) -> Self {
        Self {
            count: vec![0.0; buckets],
            sum: vec![0.0; buckets],
            ends: (None, None),
            is_there: vec![false; buckets],
        }
    }

    pub(super) fn add(
        &mut self,
        place: usize,
        count: f64,
        sum: f64,
        (min, max): (Option<f64>, Option<f64>),
    ) {
        self.count[place] += count;
        self.sum[place] += sum;
        self.is_there[place] = true;
        self.ends.0 = least(self.ends.0, min);
        self.ends.1 = most(self.ends.1, max);
    }

    pub(super) fn mean(&self, place: usize) -> Option<f64> {
        (self.count[place] > 0.0).then(|| self.sum[place] / self.count[place])
    }
}

fn least(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    one.into_iter().chain(other).reduce(f64::min)
}

fn most(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    one.into_iter().chain(other).reduce(f64::max)
}

/// The line of some series.
pub(super) fn line(
    labels: BTreeMap<String, String>,
    kind: MetricKind,
    together: Together,
    series: &[&Sums],
    axis: &Axis,
) -> Line {
    let (count, sum) = added(series, axis.buckets.len());
    let mut line = Line {
        labels,
        values: Vec::new(),
        min: series.iter().map(|sums| sums.ends.0).fold(None, least),
        max: series.iter().map(|sums| sums.ends.1).fold(None, most),
        mean: None,
        total: None,
    };
    match kind {
        MetricKind::Counter => {
            let is_there: Vec<bool> = (0..axis.buckets.len())
                .map(|place| series.iter().any(|sums| sums.is_there[place]))
                .collect();
            line.values = rates(&count, &sum, &is_there, &axis.buckets);
            line.total = Some(total(&sum));
            line.mean = mean(&line.values);
        }
        MetricKind::Histogram | MetricKind::Summary => {
            line.values = (0..count.len())
                .map(|place| (count[place] > 0.0).then(|| sum[place] / count[place]))
                .collect();
            let counted = total(&count);
            line.total = Some(counted);
            line.mean = (counted > 0.0).then(|| total(&sum) / counted);
        }
        MetricKind::Gauge | MetricKind::UpDown | MetricKind::Quantile => {
            let at = |place: usize| {
                let means = series.iter().filter_map(|sums| sums.mean(place));
                match together {
                    Together::Mean => (count[place] > 0.0).then(|| sum[place] / count[place]),
                    Together::Sum => means.reduce(|sum, mean| sum + mean),
                    Together::Min => means.reduce(f64::min),
                    Together::Max => means.reduce(f64::max),
                }
            };
            line.values = (0..count.len()).map(at).collect();
            line.mean = mean(&line.values);
            if together == Together::Sum && series.len() > 1 {
                // The ends of single gauges are not those of their sum.
                let values = || line.values.iter().flatten().copied();
                (line.min, line.max) = (values().reduce(f64::min), values().reduce(f64::max));
            }
        }
    }
    line
}

fn added(series: &[&Sums], buckets: usize) -> (Vec<f64>, Vec<f64>) {
    let at = |values: fn(&Sums) -> &[f64]| {
        (0..buckets)
            .map(|place| total(series.iter().map(|sums| values(sums)[place])))
            .collect()
    };
    (at(|sums| &sums.count), at(|sums| &sums.sum))
}

fn mean(values: &[Option<f64>]) -> Option<f64> {
    let known: Vec<f64> = values.iter().flatten().copied().collect();
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
}

/// The growth in a second. `count`: the seconds of a bucket of which it is known, of all series and processes
/// together.
///
/// At the ends of a line a part of the bucket is not reported yet, or no more. There the rate is that of the seconds
/// that are known, for as many processes as the bucket beside it has.
fn rates(count: &[f64], sum: &[f64], is_there: &[bool], buckets: &[Bucket]) -> Vec<Option<f64>> {
    let density = |place: usize| count[place] / buckets[place].covered.max(1.0);
    let first = is_there.iter().position(|is| *is).unwrap_or_default();
    let last = is_there.iter().rposition(|is| *is).unwrap_or_default();
    let beside = |place: usize| {
        let inner = if place == first {
            Some(place + 1)
        } else {
            place.checked_sub(1)
        };
        inner.filter(|inner| is_there.get(*inner).copied().unwrap_or_default())
    };
    let rate = |place: usize| {
        if !is_there[place] {
            return None;
        }
        let whole = sum[place] / buckets[place].covered.max(1.0);
        let is_end = place == first || place + 1 >= last;
        if !is_end || count[place] <= 0.0 {
            return Some(whole);
        }
        let processes = beside(place).map_or(1.0, |inner| density(inner).max(1.0));
        match density(place) < 0.95 * processes {
            true => Some(sum[place] / count[place] * processes),
            false => Some(whole),
        }
    };
    (0..count.len()).map(rate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(count: i64) -> Vec<Bucket> {
        let bucket = |place| Bucket {
            start: place * 60,
            covered: 60.0,
        };
        (0..count).map(bucket).collect()
    }

    #[test]
    fn a_rate_is_what_was_added_in_a_second_and_whole_at_the_ends() {
        let count = [0.0, 20.0, 120.0, 120.0, 40.0, 0.0];
        let sum = [0.0, 20.0, 120.0, 240.0, 80.0, 0.0];
        let is_there = [false, true, true, true, true, false];
        let found = rates(&count, &sum, &is_there, &buckets(6));
        // Two processes: a second of both makes two seconds.
        assert_eq!(
            found,
            [None, Some(2.0), Some(2.0), Some(4.0), Some(4.0), None]
        );
    }

    #[test]
    fn a_rate_without_known_seconds_is_that_of_the_bucket() {
        let found = rates(&[0.0], &[30.0], &[true], &buckets(1));
        assert_eq!(found, [Some(0.5)]);
    }

    #[test]
    fn gauges_of_one_line_make_their_mean_or_their_sum() {
        let axis = Axis {
            interval: 60,
            buckets: buckets(2),
            widened: false,
        };
        let gauge = |value: f64, count: f64| {
            let mut sums = Sums::new(2);
            sums.add(0, count, value * count, (Some(value), Some(value)));
            sums
        };
        let (one, other) = (gauge(10.0, 2.0), gauge(40.0, 1.0));
        let made = |together| {
            let series = [&one, &other];
            line(BTreeMap::new(), MetricKind::Gauge, together, &series, &axis)
        };
        assert_eq!(made(Together::Mean).values, [Some(20.0), None]);
        let sum = made(Together::Sum);
        assert_eq!((sum.values[0], sum.max), (Some(50.0), Some(50.0)));
        assert_eq!(made(Together::Max).values[0], Some(40.0));
        assert_eq!(made(Together::Min).min, Some(10.0));
    }
}
