//! A measure over time, laid out on a chart's buckets.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::totals::Total;
use super::window::{Bucket, Window};

/// The three measures of one key, a value for each of the chart's buckets.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema, Serialize)]
pub struct Series {
    /// Mean duration, µs; nothing where nothing happened.
    pub latency: Vec<Option<f64>>,
    /// Per minute of the bucket that lies in the window.
    pub throughput: Vec<f64>,
    /// Share of failures, 0 to 1.
    pub failed_rate: Vec<Option<f64>>,
}

impl Series {
    /// The series of sums, one for each of the buckets.
    pub(super) fn from_sums(sums: &[Total], buckets: &[Bucket]) -> Self {
        let rate = |(sum, bucket): (&Total, &Bucket)| per_minute(sum.count, bucket);
        Self {
            latency: sums.iter().map(Total::mean).collect(),
            throughput: sums.iter().zip(buckets).map(rate).collect(),
            failed_rate: sums.iter().map(Total::failed_rate).collect(),
        }
    }

    /// A series in which nothing happened.
    #[must_use]
    pub fn empty(buckets: usize) -> Self {
        Self {
            latency: vec![None; buckets],
            throughput: vec![0.0; buckets],
            failed_rate: vec![None; buckets],
        }
    }
}

/// A count as a rate. A bucket that has hardly begun gives no rate but its count.
#[must_use]
pub fn per_minute(count: f64, bucket: &Bucket) -> f64 {
    count * 60.0 / bucket.covered.max(1.0)
}

/// The start of each bucket, seconds since the epoch, and the width: what every chart is drawn on.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Axis {
    /// Width of a bucket, seconds.
    pub interval: i64,
    /// The buckets, without gaps.
    pub buckets: Vec<Bucket>,
    /// Whether they are wider, or begin earlier or end later, than asked for, since minutes are no longer kept.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub widened: bool,
}

impl Axis {
    /// The place of each bucket by its start.
    pub(super) fn places(&self) -> HashMap<i64, usize> {
        let starts = self.buckets.iter().enumerate();
        starts
            .map(|(place, bucket)| (bucket.start, place))
            .collect()
    }
}

impl From<&Window> for Axis {
    fn from(window: &Window) -> Self {
        Self {
            interval: window.interval,
            buckets: window.buckets(),
            widened: window.widened,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_divide_by_what_is_covered_and_gaps_stay_empty() {
        let bucket = |start, covered| Bucket { start, covered };
        let buckets = [bucket(0, 30.0), bucket(60, 60.0), bucket(120, 0.0)];
        let sum = |count: f64, failures: f64| Total {
            count,
            sum: count * 10.0,
            failures,
            successes: count - failures,
            ..Total::default()
        };
        let series = Series::from_sums(&[sum(4.0, 1.0), sum(0.0, 0.0), sum(1.0, 0.0)], &buckets);
        assert_eq!(series.latency, [Some(10.0), None, Some(10.0)]);
        assert_eq!(series.throughput, [8.0, 0.0, 60.0]);
        assert_eq!(series.failed_rate, [Some(0.25), None, Some(0.0)]);
    }
}
