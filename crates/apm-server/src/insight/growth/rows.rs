//! The rows of a table over time: a gauge says how many, the INSERTs that were seen say when.
//!
//! A gauge comes every few seconds and is a little old; within its steps a fast loop adds thousands of rows. INSERTs
//! are seen one by one, but not those before the records, nor those of requests that were not sampled, and DELETEs not
//! at all. Together they tell both, as long as they agree.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Point, fit};

/// Samples of a gauge from which the share of the INSERTs that were seen can be told.
const ENOUGH: usize = 3;

/// The gauge must follow the INSERTs at least so closely to be told by them, as R².
const AGREE: f64 = 0.95;

/// Seconds by which a sample of a gauge may be older than its time says: services count rows now and then.
const LATE: f64 = 30.0;

/// Seconds for which rows must be watched before anything is said of the days to come.
const WATCHED: f64 = 1_800.0;

/// The source of the number of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A gauge that the service sends.
    Gauge,
    /// INSERTs that were seen.
    Inserts,
    /// A gauge, and between its samples the INSERTs that were seen.
    Both,
}

/// The number of rows over time: (seconds since the epoch, rows), in order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rows {
    pub(super) source: Source,
    steps: Vec<(f64, f64)>,
}

impl Rows {
    /// From samples of the gauge, and the INSERTs so far at each time; either may be empty.
    pub(super) fn from_samples(gauge: Vec<(f64, f64)>, inserts: Vec<(f64, f64)>) -> Self {
        if gauge.is_empty() {
            return Self {
                source: Source::Inserts,
                steps: inserts,
            };
        }
        match line(&gauge, &inserts) {
            Some((first, each)) => Self {
                source: Source::Both,
                steps: inserts
                    .into_iter()
                    .map(|(at, seen)| (at, (first + each * seen).max(0.0)))
                    .collect(),
            },
            None => Self {
                source: Source::Gauge,
                steps: gauge,
            },
        }
    }

    /// Whether nothing tells them.
    pub(super) fn is_unknown(&self) -> bool {
        self.steps.is_empty()
    }

    /// The pace of their growth; none where they were not watched for long enough to say.
    pub(super) fn pace(&self) -> Option<Pace> {
        let ((from, before), (at, rows)) = (*self.steps.first()?, *self.steps.last()?);
        if at - from < WATCHED {
            return None;
        }
        let middle = (from + at) / 2.0;
        let half = interpolated(&self.steps, middle)?;
        let per_day = |more: f64, seconds: f64| more / seconds * 86_400.0;
        let halves = [
            per_day(half - before, middle - from),
            per_day(rows - half, at - middle),
        ];
        Some(Pace {
            at,
            rows,
            per_day: per_day(rows - before, at - from),
            least_per_day: halves[0].min(halves[1]),
            most_per_day: halves[0].max(halves[1]),
        })
    }

    /// The rows at a time; none before the first sample of a gauge that says nothing of earlier times.
    pub(super) fn at(&self, time: f64) -> Option<f64> {
        let first = self.steps.first()?.0;
        if self.source == Source::Gauge && time < first && self.steps.len() > 1 {
            return None;
        }
        interpolated(&self.steps, time)
    }
}

/// The pace at which a table grows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pace {
    /// When its rows were last told, seconds since the epoch.
    pub(super) at: f64,
    /// Its rows then.
    pub(super) rows: f64,
    /// Rows that come in a day.
    pub(super) per_day: f64,
    /// The same in the half of the time in which fewest came.
    pub(super) least_per_day: f64,
    /// The same in the half in which most came.
    pub(super) most_per_day: f64,
}

/// Rows when no INSERT was seen, and rows per INSERT that was seen; none where gauge and INSERTs do not agree.
fn line(gauge: &[(f64, f64)], inserts: &[(f64, f64)]) -> Option<(f64, f64)> {
    let pairs: Vec<Point> = gauge
        .iter()
        .filter_map(|(at, rows)| {
            Some(Point {
                at: *at,
                rows: interpolated(inserts, *at)?,
                micros: *rows,
            })
        })
        .collect();
    let above = |each: f64| pairs.iter().map(move |pair| pair.micros - each * pair.rows);
    // A gauge that is a little old says too few, never too many.
    let most = above(1.0).max_by(f64::total_cmp);
    let each = match fit(&pairs) {
        // A row for each INSERT is the rule: another share only where the gauge says so clearly.
        Some(line) if pairs.len() >= ENOUGH && explained(&pairs) < AGREE => {
            if line.r_squared < AGREE || line.per_row <= 0.0 {
                return None;
            }
            line.per_row
        }
        // The table changed while nothing was seen.
        None if pairs
            .windows(2)
            .any(|pair| pair[0].micros != pair[1].micros)
            && !is_late(gauge, inserts, most?) =>
        {
            return None;
        }
        // The numbers agree, or nothing was inserted between the samples, or there are few samples.
        _ => {
            // There were never less than 0 rows.
            return Some((most?.max(-inserts.first()?.1), 1.0));
        }
    };
    // The median, as some samples may be late.
    let mut offsets: Vec<f64> = above(each).collect();
    offsets.sort_unstable_by(f64::total_cmp);
    Some((offsets[offsets.len() / 2], each))
}

/// Whether each sample of the gauge is the number of rows at a time shortly before it. `first`: the rows when no INSERT
/// was seen.
fn is_late(gauge: &[(f64, f64)], inserts: &[(f64, f64)], first: f64) -> bool {
    let rows = |at: f64| interpolated(inserts, at).map(|seen| first + seen);
    gauge.iter().all(|(at, sample)| {
        let (Some(before), Some(now)) = (rows(at - LATE), rows(*at)) else {
            return false;
        };
        // Half a row for the sums of fractions.
        (before - 0.5..=now + 0.5).contains(sample)
    })
}

/// The share of the gauge's variance that a row for each INSERT explains.
fn explained(pairs: &[Point]) -> f64 {
    let n = pairs.len() as f64;
    let variance = |of: &dyn Fn(&Point) -> f64| {
        let mean = pairs.iter().map(of).sum::<f64>() / n;
        pairs
            .iter()
            .map(|pair| (of(pair) - mean).powi(2))
            .sum::<f64>()
    };
    let all = variance(&|pair| pair.micros);
    if all > 0.0 {
        1.0 - variance(&|pair| pair.micros - pair.rows) / all
    } else {
        0.0
    }
}

/// The value at a time, on the line between its neighbours; beyond the ends that of the end.
fn interpolated(steps: &[(f64, f64)], at: f64) -> Option<f64> {
    let next = steps.partition_point(|step| step.0 <= at);
    let before = next.checked_sub(1).map(|i| steps[i]);
    match (before, steps.get(next).copied()) {
        (Some((t0, v0)), Some((t1, v1))) => Some(v0 + (v1 - v0) * (at - t0) / (t1 - t0)),
        (Some((_, value)), None) | (None, Some((_, value))) => Some(value),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests;
