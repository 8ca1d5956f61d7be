//! Latency of a statement against the rows of the table that it reads: a line, its fit, where it bends.
//!
//! Points are medians of short stretches of time. The line is least squares; R² is the share of the
//! variance that it explains. An index that is added, or a table that is emptied, makes a second regime with a line of
//! its own: [`regimes`] tells them apart, so that nothing is averaged across the change.
//!
//! If the agent sends the steps of SQLite, growth is judged on these ([`Steps`]), and time tells only what it costs.

mod calls;
mod change;
mod driver;
mod moments;
mod of_table;
mod question;
mod read;
mod rows;
mod steps;

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::Serialize;

pub use change::regimes;
use moments::Moments;
pub use of_table::Growth;
pub use read::{SPAN, Subject, read, subjects};
pub use rows::Source;
pub use steps::{Forecast, LEAST_STEPS, Order, StepPoint, Steps, Trend};

/// A fit below this explains too little to be reported.
pub const LEAST_R_SQUARED: f64 = 0.8;

/// The largest table must be slower than the smallest by this factor.
pub const LEAST_FACTOR: f64 = 2.0;

/// The least increase, µs: less is within what clocks and caches do.
pub const LEAST_INCREASE: f64 = 50.0;

/// Fewer points than this are no trend.
pub const FEWEST_POINTS: usize = 6;

/// Fewer different numbers of rows than this are no trend: any two sizes lie on a line.
pub const FEWEST_SIZES: usize = 4;

/// The share of what growth would have made of it below which what follows is better.
const BETTER: f64 = 0.7;

/// A stretch of time: how many rows there were, and the median of the calls.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema, Serialize)]
pub struct Point {
    /// Its middle, seconds since the epoch, with fractions.
    pub at: f64,
    /// Rows of the table.
    pub rows: f64,
    /// Median duration, µs.
    pub micros: f64,
}

/// A straight line.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema, Serialize)]
pub struct Fit {
    /// µs at no rows.
    pub at_zero: f64,
    /// µs per row.
    pub per_row: f64,
    /// Share of the variance that the line explains, 0 to 1.
    pub r_squared: f64,
}

impl Fit {
    /// The time that the line tells for a number of rows, µs.
    #[must_use]
    pub fn at(self, rows: f64) -> f64 {
        self.at_zero + self.per_row * rows
    }

    /// Milliseconds that 1 000 more rows cost.
    #[must_use]
    pub fn millis_per_thousand(self) -> f64 {
        self.per_row
    }
}

/// A stretch of time in which one line holds.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema, Serialize)]
pub struct Regime {
    /// Index of its first point.
    pub start: usize,
    /// Index after its last point.
    pub end: usize,
    /// Middle of its first point, seconds since the epoch.
    pub from: f64,
    /// Middle of its last point, seconds since the epoch.
    pub to: f64,
    /// Fewest rows.
    pub rows_min: f64,
    /// Most rows.
    pub rows_max: f64,
    /// Different numbers of rows.
    #[serde(skip)]
    pub sizes: usize,
    /// Mean of its points, µs.
    pub mean: f64,
    /// The line; none where the number of rows did not change.
    pub fit: Option<Fit>,
}

impl Regime {
    /// The growth that `points[start..end]` show.
    ///
    /// # Panics
    /// If the range is empty or reaches beyond the points.
    #[must_use]
    pub fn fit(points: &[Point], start: usize, end: usize) -> Self {
        let own = &points[start..end];
        let fold = |pick: fn(f64, f64) -> f64, first| own.iter().map(|p| p.rows).fold(first, pick);
        Self {
            start,
            end,
            from: own[0].at,
            to: own[own.len() - 1].at,
            rows_min: fold(f64::min, f64::INFINITY),
            rows_max: fold(f64::max, f64::NEG_INFINITY),
            sizes: own
                .iter()
                .map(|p| p.rows.to_bits())
                .collect::<HashSet<_>>()
                .len(),
            mean: own.iter().map(|p| p.micros).sum::<f64>() / own.len() as f64,
            fit: fit(own),
        }
    }

    /// Whether latency follows the rows closely enough, and far enough, to say so.
    #[must_use]
    pub fn grows(&self) -> bool {
        let Some(fit) = self.fit else { return false };
        // A line may start below zero; no call took less than nothing.
        let least = fit.at(self.rows_min).max(1.0);
        let most = fit.at(self.rows_max);
        self.is_judged()
            && fit.per_row > 0.0
            && fit.r_squared >= LEAST_R_SQUARED
            && most >= LEAST_FACTOR * least
            && most - least >= LEAST_INCREASE
    }

    /// Whether there are enough points at enough sizes of the table to say whether latency follows the rows.
    #[must_use]
    pub fn is_judged(&self) -> bool {
        self.end - self.start >= FEWEST_POINTS && self.sizes >= FEWEST_SIZES
    }

    /// The time of a call with `factor` times the rows, µs.
    #[must_use]
    pub fn projected(&self, factor: f64) -> Option<f64> {
        self.fit.map(|fit| fit.at(self.rows_max * factor).max(0.0))
    }
}

/// The line of least squares; none for fewer than two different numbers of rows.
#[must_use]
pub fn fit(points: &[Point]) -> Option<Fit> {
    Moments::from_points(points).fit()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// `n` points of a line with an alternating error of a share `noise`.
    pub(super) fn line(
        n: usize,
        first: f64,
        step: f64,
        at_zero: f64,
        slope: f64,
        noise: f64,
    ) -> Vec<Point> {
        (0..n)
            .map(|i| {
                let rows = first + step * i as f64;
                let sign = if i % 2 == 0 { 1.0 } else { -1.0 };
                Point {
                    at: i as f64 * 10.0,
                    rows,
                    micros: (at_zero + slope * rows) * (1.0 + sign * noise),
                }
            })
            .collect()
    }

    /// The growth that points tell of, by rows that inserts counted.
    pub(in crate::insight) fn of_points(points: Vec<Point>) -> Growth {
        Growth {
            table: "people".to_owned(),
            source: Source::Inserts,
            rows_unknown: false,
            regimes: regimes(&points),
            points,
            steps: None,
            sql: String::new(),
        }
    }

    #[test]
    fn a_straight_line_is_found_exactly() {
        let fit = fit(&line(20, 2_000.0, 5_900.0, 300.0, 0.22, 0.0)).unwrap();
        assert!((fit.per_row - 0.22).abs() < 1e-9 && (fit.at_zero - 300.0).abs() < 1e-6);
        assert!((fit.millis_per_thousand() - 0.22).abs() < 1e-9);
        assert!(fit.r_squared > 0.999_999);
        assert!((fit.at(1e6) - 220_300.0).abs() < 1e-3);
    }

    #[test]
    fn what_has_no_slope_has_no_fit() {
        let level = line(10, 5.0, 0.0, 100.0, 1.0, 0.2);
        assert_eq!(fit(&level), None);
        assert_eq!(fit(&[]), None);
        assert_eq!(fit(&level[..1]), None);
        let huge = Point {
            at: 0.0,
            rows: f64::MAX,
            micros: f64::MAX,
        };
        assert_eq!(
            fit(&[
                huge,
                Point {
                    rows: -f64::MAX,
                    ..huge
                }
            ]),
            None
        );
    }

    #[test]
    fn growth_needs_a_close_fit_a_doubling_and_enough_points() {
        // (points, first, step, at zero, slope, noise) → grows
        let table = [
            ((20, 2_000.0, 5_900.0, 300.0, 0.22, 0.05), true),
            ((20, 2_000.0, 5_900.0, 300.0, 0.22, 0.60), false),
            // 10 % more rows, 9 % more time.
            ((20, 100_000.0, 500.0, 300.0, 0.22, 0.0), false),
            // Faster with more rows.
            ((20, 0.0, 1_000.0, 50_000.0, -2.0, 0.0), false),
            // A doubling within 20 µs.
            ((20, 0.0, 100.0, 10.0, 0.01, 0.0), false),
            ((5, 2_000.0, 5_900.0, 300.0, 0.22, 0.0), false),
            // Level, however many rows.
            ((20, 0.0, 5_000.0, 400.0, 0.0, 0.1), false),
        ];
        for ((n, first, step, zero, slope, noise), grows) in table {
            let points = line(n, first, step, zero, slope, noise);
            let regime = Regime::fit(&points, 0, n);
            assert_eq!(
                regime.grows(),
                grows,
                "{n} {first} {step} {slope} {noise}: {regime:?}"
            );
        }
    }

    #[test]
    fn two_sizes_of_a_table_are_no_trend_however_well_a_line_fits() {
        let point = |i: u32, rows, micros| Point {
            at: f64::from(i),
            rows,
            micros,
        };
        let two: Vec<Point> = (0..12)
            .map(|i| {
                if i < 6 {
                    point(i, 100.0, 100.0)
                } else {
                    point(i, 50_000.0, 9_000.0)
                }
            })
            .collect();
        let regime = Regime::fit(&two, 0, two.len());
        assert!(regime.fit.is_some_and(|fit| fit.r_squared > 0.99));
        assert!(!regime.is_judged() && !regime.grows(), "{regime:?}");
    }

    #[test]
    fn the_projection_is_at_a_multiple_of_the_rows_of_today() {
        let points = line(11, 0.0, 10_000.0, 0.0, 0.22, 0.0);
        let regime = Regime::fit(&points, 0, 11);
        assert!((regime.projected(10.0).unwrap() - 220_000.0).abs() < 1e-3);
    }
}
