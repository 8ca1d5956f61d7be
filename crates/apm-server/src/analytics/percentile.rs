//! Percentiles: exact where few values exist, from log histograms where many do (reference/ui.md 4.4).
//!
//! A histogram's bin is `ceil(ln(v) / ln(γ))` with γ = 1.02; its representative differs from any value
//! in it by at most (γ − 1) / (γ + 1) < 1 %.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Text};
use serde::Serialize;

use super::sql::Sql;

/// Growth of the histogram's bins.
pub const GAMMA: f64 = 1.02;

/// With more values than this, percentiles come from the histogram.
pub const EXACT_LIMIT: i64 = 10_000;

/// The percentiles that charts and tables show, µs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Percentiles {
    /// Median.
    pub p50: f64,
    /// 95th.
    pub p95: f64,
    /// 99th.
    pub p99: f64,
}

/// The value that stands for a histogram's bin, µs.
#[must_use]
pub fn representative(bin: i64) -> f64 {
    2.0 * GAMMA.powf(bin as f64) / (GAMMA + 1.0)
}

/// The bin of a duration, µs. Below 1 µs: bin 0.
#[must_use]
pub fn bin(micros: i64) -> i64 {
    ((micros.max(1) as f64).ln() / GAMMA.ln()).ceil() as i64
}

/// Nearest rank: the smallest value that at least a share `q` of the values do not exceed.
#[must_use]
pub fn nearest_rank<T: Copy>(sorted: &[T], q: f64) -> Option<T> {
    let rank = (q * sorted.len() as f64 - 1e-9).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied()
}

/// The share of values in a histogram that do not exceed `micros`: “p97 of this operation”.
#[must_use]
pub fn share_below(bins: &[(i64, f64)], micros: i64) -> Option<f64> {
    let total: f64 = bins.iter().map(|(_, count)| count).sum();
    let own = bin(micros);
    let below: f64 = bins
        .iter()
        .filter(|(bin, _)| *bin <= own)
        .map(|(_, count)| count)
        .sum();
    (total > 0.0).then(|| below / total)
}

/// A row of every percentile query, whatever its key.
#[derive(Debug, QueryableByName)]
pub(super) struct Row {
    #[diesel(sql_type = Text)]
    pub(super) key: String,
    #[diesel(sql_type = BigInt)]
    pub(super) bucket: i64,
    #[diesel(sql_type = Double)]
    pub(super) p50: f64,
    #[diesel(sql_type = Double)]
    pub(super) p95: f64,
    #[diesel(sql_type = Double)]
    pub(super) p99: f64,
}

/// How many rows there are to rank, where each of them stands for itself alone.
pub(super) fn ranked(count: f64, n: i64) -> Option<i64> {
    ((count - n as f64).abs() < 1e-6).then_some(n)
}

/// Runs the exact or the histogram form of a percentile query. `rows` is how many raw rows the exact
/// form would read, or nothing where their weights differ (then they cannot be ranked).
pub(super) fn load(
    conn: &mut SqliteConnection,
    rows: Option<i64>,
    exact: &Sql,
    histogram: &Sql,
) -> QueryResult<HashMap<(String, i64), Percentiles>> {
    if rows.is_some_and(|rows| rows <= EXACT_LIMIT) {
        Ok(keyed(exact.load(conn)?, |value| value))
    } else {
        of_histogram(conn, histogram)
    }
}

/// Runs the histogram form, whose values are bins.
pub(super) fn of_histogram(
    conn: &mut SqliteConnection,
    histogram: &Sql,
) -> QueryResult<HashMap<(String, i64), Percentiles>> {
    Ok(keyed(histogram.load(conn)?, |bin| {
        representative(bin as i64)
    }))
}

fn keyed(rows: Vec<Row>, value: fn(f64) -> f64) -> HashMap<(String, i64), Percentiles> {
    rows.into_iter()
        .map(|row| {
            let percentiles = Percentiles {
                p50: value(row.p50),
                p95: value(row.p95),
                p99: value(row.p99),
            };
            ((row.key, row.bucket), percentiles)
        })
        .collect()
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
    fn a_bin_stands_for_its_values_within_one_percent() {
        for micros in [1, 2, 3, 10, 999, 1_000, 37_120, 1_000_000, 600_000_000] {
            let value = representative(bin(micros));
            let off = (value - micros as f64).abs() / micros as f64;
            assert!(off <= 0.02 / 2.02 + 1e-9, "{micros}: {value}, {off}");
        }
        assert_eq!(bin(0), 0);
        assert_eq!(bin(-5), 0);
    }

    #[test]
    fn a_value_knows_its_place_among_the_others() {
        let bins = [(bin(100), 50.0), (bin(200), 45.0), (bin(10_000), 5.0)];
        assert_eq!(share_below(&bins, 200), Some(0.95));
        assert_eq!(share_below(&bins, 50), Some(0.0));
        assert_eq!(share_below(&bins, 20_000), Some(1.0));
        assert_eq!(share_below(&[], 1), None);
    }
}
