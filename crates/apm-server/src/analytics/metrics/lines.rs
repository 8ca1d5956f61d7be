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
mod tests;
