//! The distribution of a histogram's values: percentiles over time, and bars for a heat map.

use std::collections::BTreeMap;

use apm_store::rollup::bin_value;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Integer};
use schemars::JsonSchema;
use serde::Serialize;

use super::super::series::Axis;
use super::super::sql::Sql;
use super::super::total;
use super::super::window::Window;

/// Rows of a heat map.
const ROWS: i32 = 24;

/// The distribution of values over time, for each of the axis's buckets.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema, Serialize)]
#[schemars(rename = "MetricDistribution")]
pub struct Spread {
    /// Number of values.
    pub count: Vec<f64>,
    /// Median. At most 1 % off from the middle of the sender's bucket.
    pub p50: Vec<Option<f64>>,
    /// 95th percentile.
    pub p95: Vec<Option<f64>>,
    /// 99th percentile.
    pub p99: Vec<Option<f64>>,
    /// 50th, 95th and 99th percentile of the window; null where there is no value.
    pub all: Option<[f64; 3]>,
    /// Ranges of values, from the smallest to the greatest, at most 24, and how many fell into each.
    pub rows: Vec<HeatRow>,
}

/// A range of values, and how many fell into it.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct HeatRow {
    /// The start of the range.
    pub from: f64,
    /// Its end.
    pub to: f64,
    /// Number of values, for each of the axis's buckets.
    pub counts: Vec<f64>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    bucket: i64,
    #[diesel(sql_type = Integer)]
    bin: i32,
    #[diesel(sql_type = Double)]
    count: f64,
}

type Bins = BTreeMap<i32, f64>;

/// Reads the bars of series, which the JSON list names.
pub(super) fn spread(
    conn: &mut SqliteConnection,
    ids: &str,
    window: &Window,
    axis: &Axis,
) -> QueryResult<Spread> {
    let mut by_bucket: BTreeMap<i64, Bins> = BTreeMap::new();
    let sql = window
        .bind(Sql::new(include_str!("bars.sql")))
        .bind("ids", ids);
    sql.each(conn, |row: Row| {
        let bins = by_bucket.entry(row.bucket).or_default();
        *bins.entry(row.bin).or_default() += row.count;
    })?;
    let buckets: Vec<Bins> = axis
        .buckets
        .iter()
        .map(|bucket| by_bucket.remove(&bucket.start).unwrap_or_default())
        .collect();
    Ok(of_bins(&buckets))
}

fn of_bins(buckets: &[Bins]) -> Spread {
    let mut all = Bins::new();
    for (bin, count) in buckets.iter().flatten() {
        *all.entry(*bin).or_default() += count;
    }
    let percentiles = |q: f64| buckets.iter().map(|bins| percentile(bins, q)).collect();
    let whole = [0.5, 0.95, 0.99].map(|q| percentile(&all, q));
    Spread {
        count: buckets.iter().map(|bins| total(bins.values())).collect(),
        p50: percentiles(0.5),
        p95: percentiles(0.95),
        p99: percentiles(0.99),
        all: match whole {
            [Some(p50), Some(p95), Some(p99)] => Some([p50, p95, p99]),
            _ => None,
        },
        rows: rows(&all, buckets),
    }
}

/// The value that so many do not exceed.
fn percentile(bins: &Bins, q: f64) -> Option<f64> {
    let all: f64 = bins.values().sum();
    // Sums of parts are rounded: a hair less keeps a rank from slipping into the next bin.
    let mut left = q * all - 1e-9;
    for (bin, count) in bins {
        left -= count;
        if left <= 0.0 {
            return Some(bin_value(*bin));
        }
    }
    bins.keys().next_back().map(|bin| bin_value(*bin))
}

/// Bars of equal width on the scale of bins. Values below zero and zero itself have a row each.
fn rows(all: &Bins, buckets: &[Bins]) -> Vec<HeatRow> {
    /// The first bin of positive values, and what is below it.
    const POSITIVE: i32 = -50_000;
    let first = all.range(POSITIVE..).next().map(|(bin, _)| *bin);
    let last = all.keys().next_back().copied();
    let mut ranges: Vec<(i32, i32)> = Vec::new();
    let below: Vec<i32> = all.range(..POSITIVE).map(|(bin, _)| *bin).collect();
    if let (Some(least), Some(most)) = (below.first(), below.last()) {
        ranges.push((*least, *most));
    }
    if let (Some(first), Some(last)) = (first, last) {
        let step = ((last - first) / ROWS + 1).max(1);
        let mut from = first;
        while from <= last {
            ranges.push((from, from + step - 1));
            from += step;
        }
    }
    let row = |(from, to): (i32, i32)| {
        let counts = buckets
            .iter()
            .map(|bins| total(bins.range(from..=to).map(|(_, count)| count)));
        let is_below = to < POSITIVE;
        // From the value that stands for a bin to the edge of the bin it is 1 %.
        HeatRow {
            from: bin_value(from) / if is_below { 1.0 } else { 1.01 },
            to: bin_value(to) * if is_below { 1.0 } else { 1.01 },
            counts: counts.collect(),
        }
    };
    ranges.into_iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use apm_store::rollup::value_bin;

    use super::*;

    #[test]
    fn percentiles_are_those_of_the_values_and_every_value_has_its_row() {
        let bins: Bins = (1..=100)
            .map(|value| (value_bin(f64::from(value)), 1.0))
            .fold(Bins::new(), |mut bins, (bin, count)| {
                *bins.entry(bin).or_default() += count;
                bins
            });
        let found = of_bins(&[bins.clone(), Bins::new()]);
        let p95 = found.p95[0].expect("values");
        assert!((94.0..=96.0).contains(&p95), "{p95}");
        assert_eq!(found.p95[1], None);
        let told: f64 = found.rows.iter().map(|row| row.counts[0]).sum();
        assert_eq!(told, 100.0);
        assert!(found.rows.len() <= 25, "{}", found.rows.len());
    }

    #[test]
    fn nothing_at_all_and_less_have_a_row_of_their_own() {
        let bins = Bins::from([
            (value_bin(-5.0), 1.0),
            (value_bin(0.0), 2.0),
            (value_bin(3.0), 4.0),
        ]);
        let rows = of_bins(&[bins]).rows;
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].counts[0], rows[1].counts[0]), (3.0, 4.0));
    }
}
