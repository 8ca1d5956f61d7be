//! A measure over time: rows of (key, bucket) laid out on a chart's buckets.

use std::collections::HashMap;
use std::sync::Arc;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double};
use serde::Serialize;

use super::histograms::Members;
use super::window::{Bucket, Window};
use super::{failed_rate, mean};

/// A row of every series query.
#[derive(Debug, QueryableByName)]
pub(super) struct Row {
    #[diesel(sql_type = BigInt)]
    pub(super) id: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) bucket: i64,
    #[diesel(sql_type = Double)]
    pub(super) count: f64,
    #[diesel(sql_type = Double)]
    pub(super) sum: f64,
    #[diesel(sql_type = Double)]
    pub(super) failures: f64,
    #[diesel(sql_type = Double)]
    pub(super) successes: f64,
}

/// The three measures of one key, a value for each of the chart's buckets.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Series {
    /// Mean duration, µs; nothing where nothing happened.
    pub latency: Vec<Option<f64>>,
    /// Per minute of the bucket that lies in the window (reference/ui.md 4.2).
    pub throughput: Vec<f64>,
    /// Share of failures, 0 to 1.
    pub failed_rate: Vec<Option<f64>>,
}

/// Lays rows out on the buckets, by key; ids of one key are added up.
pub(super) fn lay_out(
    rows: Vec<Row>,
    members: &Members,
    buckets: &[Bucket],
) -> HashMap<Arc<str>, Series> {
    let places: HashMap<i64, usize> = buckets
        .iter()
        .enumerate()
        .map(|(place, bucket)| (bucket.start, place))
        .collect();
    let mut sums: HashMap<Arc<str>, Vec<Sum>> = HashMap::new();
    for row in rows {
        let (Some(key), Some(&place)) = (members.get(&row.id), places.get(&row.bucket)) else {
            continue;
        };
        let sums = sums
            .entry(Arc::clone(key))
            .or_insert_with(|| vec![Sum::default(); buckets.len()]);
        sums[place].add(&row);
    }
    let series = |sums: Vec<Sum>| Series {
        latency: sums.iter().map(|of| mean(of.sum, of.count)).collect(),
        throughput: sums
            .iter()
            .zip(buckets)
            .map(|(of, bucket)| per_minute(of.count, bucket))
            .collect(),
        failed_rate: sums
            .iter()
            .map(|of| failed_rate(of.failures, of.successes))
            .collect(),
    };
    sums.into_iter()
        .map(|(key, sums)| (key, series(sums)))
        .collect()
}

#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    count: f64,
    sum: f64,
    failures: f64,
    successes: f64,
}

impl Sum {
    fn add(&mut self, row: &Row) {
        self.count += row.count;
        self.sum += row.sum;
        self.failures += row.failures;
        self.successes += row.successes;
    }
}

impl Series {
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
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Axis {
    /// Width of a bucket, seconds.
    pub interval: i64,
    /// The buckets, without gaps.
    pub buckets: Vec<Bucket>,
}

impl From<&Window> for Axis {
    fn from(window: &Window) -> Self {
        Self {
            interval: window.interval,
            buckets: window.buckets(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: i64, bucket: i64, count: f64, failures: f64) -> Row {
        Row {
            id,
            bucket,
            count,
            sum: count * 10.0,
            failures,
            successes: count - failures,
        }
    }

    #[test]
    fn rows_land_in_their_buckets_and_gaps_stay_empty() {
        let buckets = [
            Bucket {
                start: 0,
                covered: 30.0,
            },
            Bucket {
                start: 60,
                covered: 60.0,
            },
            Bucket {
                start: 120,
                covered: 0.0,
            },
        ];
        let rows = vec![
            row(1, 0, 3.0, 1.0),
            row(2, 0, 1.0, 0.0),
            row(1, 120, 1.0, 0.0),
            row(1, 600, 9.0, 0.0),
            row(3, 0, 9.0, 0.0),
        ];
        let members = [(1, "a".into()), (2, "a".into())].into();
        let series = &lay_out(rows, &members, &buckets)["a"];
        assert_eq!(series.latency, [Some(10.0), None, Some(10.0)]);
        assert_eq!(series.throughput, [8.0, 0.0, 60.0]);
        assert_eq!(series.failed_rate, [Some(0.25), None, Some(0.0)]);
    }
}
