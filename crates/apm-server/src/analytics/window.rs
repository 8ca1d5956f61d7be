//! The stretch of time that a question is about, and which rollup rows cover it.
//!
//! Rollups know whole minutes, so a window is the asked range widened to whole minutes. It is covered by
//! as few rows as there can be: hours inside, ten-minute and minute rows at the edges ([`Window::slices`]).
//! That makes a list over a month as cheap as one over an hour, and exact at both ends; where the minutes are gone,
//! the ends move to those of ten minutes (`analytics::minutes`).

use apm_time::{Range, SECOND};
use schemars::JsonSchema;
use serde::Serialize;

use super::sql::Sql;
pub use apm_store::rollup::LEVELS;

/// Bound of `target = range / 50` and the interval below it, both in milliseconds.
const INTERVALS: [(i64, i64); 15] = [
    (500, 100),
    (5_000, 1_000),
    (7_500, 5_000),
    (15_000, 10_000),
    (45_000, 30_000),
    (180_000, 60_000),
    (540_000, 300_000),
    (1_200_000, 600_000),
    (2_700_000, 1_800_000),
    (7_200_000, 3_600_000),
    (21_600_000, 10_800_000),
    (86_400_000, 43_200_000),
    (604_800_000, 86_400_000),
    (1_814_400_000, 604_800_000),
    // Months for ten years; the reference has them for fifty, which would be 600 buckets for each row of a list.
    (6_220_800_000, 2_592_000_000),
];

/// The widest bucket of a chart that is made of events, seconds: it divides a minute, as the narrower ones do.
const WIDEST_FINE: i64 = 30;

/// Milliseconds in a year.
const YEAR: i64 = 31_536_000_000;
/// Buckets of a chart over more years than there are rules for.
const MOST_YEARS: i64 = 60;

/// The width of a chart's buckets for a range, in seconds, at least `floor`.
///
/// The widths that are not whole seconds round up to one.
#[must_use]
pub fn interval(range: Range, floor: i64) -> i64 {
    let target = range.micros() / 1000 / 50;
    let rule = INTERVALS.iter().find(|(bound, _)| *bound > target);
    let years = || (range.micros() / 1000 / YEAR / MOST_YEARS + 1) * YEAR;
    let millis = rule.map_or_else(years, |(_, interval)| *interval);
    (millis / 1000).max(floor).max(1)
}

/// A window of whole minutes with its chart buckets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Window {
    /// The range that was asked for.
    pub asked: Range,
    /// The same, widened to whole minutes: what is counted.
    pub range: Range,
    /// Minutes of the window that have passed: the divisor of every “per minute”.
    pub minutes: f64,
    /// Width of a chart's buckets, seconds.
    pub interval: i64,
    /// The present, µs; the last bucket is partial when it lies inside.
    pub now: i64,
    /// Whether it is wider, or its chart coarser, than asked for, since minutes are no longer kept.
    pub widened: bool,
}

/// One bucket of a chart.
#[derive(Debug, Clone, Copy, JsonSchema, PartialEq, Serialize)]
pub struct Bucket {
    /// Start, seconds since the epoch, a multiple of the interval.
    pub start: i64,
    /// The part of it that lies inside of the window and in the past, seconds. Less than the interval: draw
    /// it as partial. Rates divide by this.
    pub covered: f64,
}

impl Window {
    /// The window for a range, at a present moment (both µs).
    #[must_use]
    pub fn new(asked: Range, now: i64) -> Self {
        let minute = 60 * SECOND;
        let range = Range {
            from: asked.from.div_euclid(minute) * minute,
            to: (asked.to + minute - 1).div_euclid(minute) * minute,
        };
        Self {
            asked,
            range,
            minutes: passed(range, now),
            interval: interval(asked, LEVELS[0]),
            now,
            widened: false,
        }
    }

    /// The same with other edges and buckets of at least so many seconds.
    pub(super) fn widened(&self, range: Range, interval: i64) -> Self {
        let interval = self.interval.max(interval);
        Self {
            range,
            minutes: passed(range, self.now),
            interval,
            widened: range != self.range || interval != self.interval,
            ..self.clone()
        }
    }

    /// The same with the buckets of a chart that is made of events: as narrow as the range allows, and never a minute.
    pub(super) fn finer(&self) -> Self {
        Self {
            interval: interval(self.asked, 1).min(WIDEST_FINE),
            ..self.clone()
        }
    }

    /// The window of the same length that ends `by` µs earlier; `by` is cut to whole minutes.
    #[must_use]
    pub fn shifted_back(&self, by: i64) -> Self {
        let by = by / (60 * SECOND) * (60 * SECOND);
        let range = self.range.shifted_back(by);
        Self {
            asked: self.asked.shifted_back(by),
            range,
            // All of it has passed, though the later one may not be over.
            minutes: passed(range, self.now),
            ..self.clone()
        }
    }

    /// The buckets of a chart, without gaps; the first and the last may be partial.
    #[must_use]
    pub fn buckets(&self) -> Vec<Bucket> {
        let (from, to) = (self.range.from / SECOND, self.range.to / SECOND);
        let past = (self.now.max(self.range.from) as f64 / SECOND as f64).min(to as f64);
        let first = from.div_euclid(self.interval) * self.interval;
        (first..to)
            .step_by(usize::try_from(self.interval).unwrap_or(1))
            .map(|start| {
                let end = ((start + self.interval) as f64).min(past);
                Bucket {
                    start,
                    covered: (end - start.max(from) as f64).max(0.0),
                }
            })
            .collect()
    }

    /// The rollup rows that make up the window: (level, from, to) in seconds, disjoint, in order.
    #[must_use]
    pub fn slices(&self) -> Vec<(i64, i64, i64)> {
        self.cut(&LEVELS)
    }

    /// The same for a chart: no row is wider than one of its buckets.
    #[must_use]
    pub fn series_slices(&self) -> Vec<(i64, i64, i64)> {
        self.cut(fitting(self.interval))
    }

    /// Gives a question `:slices` (JSON), `:series` (likewise), `:interval`, and `:from`, `:to` in µs.
    #[must_use]
    pub fn bind(&self, sql: Sql) -> Sql {
        sql.bind("slices", json(&self.slices()))
            .bind("series", json(&self.series_slices()))
            .bind("interval", self.interval)
            .bind("from", self.range.from)
            .bind("to", self.range.to)
    }

    fn cut(&self, levels: &[i64]) -> Vec<(i64, i64, i64)> {
        let mut out = Vec::new();
        cut(
            self.range.from / SECOND,
            self.range.to / SECOND,
            levels,
            &mut out,
        );
        out
    }
}

/// Minutes of a range that have passed at `now`, more than none.
fn passed(range: Range, now: i64) -> f64 {
    // A second at least, since it is a divisor.
    let passed = range.to.min(now.max(range.from + SECOND)) - range.from;
    passed as f64 / (60 * SECOND) as f64
}

/// The rollup rows of whole minutes (seconds) for a chart, as JSON.
pub(super) fn series_json(from: i64, to: i64, interval: i64) -> String {
    let mut slices = Vec::new();
    cut(from, to, fitting(interval), &mut slices);
    json(&slices)
}

/// The levels that a chart's buckets are made of.
fn fitting(interval: i64) -> &'static [i64] {
    // A level that does not divide the interval has rows across the border of two buckets.
    let fits = LEVELS.iter().take_while(|level| interval % **level == 0);
    &LEVELS[..fits.count().max(1)]
}

fn cut(from: i64, to: i64, levels: &[i64], out: &mut Vec<(i64, i64, i64)>) {
    let Some((level, finer)) = levels.split_last() else {
        return;
    };
    let inner_from = (from + level - 1).div_euclid(*level) * level;
    let inner_to = to.div_euclid(*level) * level;
    if inner_from < inner_to {
        cut(from, inner_from, finer, out);
        out.push((*level, inner_from, inner_to));
        cut(inner_to, to, finer, out);
    } else if from < to {
        cut(from, to, finer, out);
    }
}

fn json(slices: &[(i64, i64, i64)]) -> String {
    let rows: Vec<String> = slices
        .iter()
        .map(|(level, from, to)| format!("[{level},{from},{to}]"))
        .collect();
    format!("[{}]", rows.join(","))
}

#[cfg(test)]
mod tests;
