//! Steps of SQLite against the rows of a table: how a statement grows, told without a clock.
//!
//! The same statement on the same data takes the same steps on any machine and under any load. So two sizes of a table
//! tell how it grows, and no fit has to be good enough. The clock tells what a step takes; both together say when it
//! will hurt.

use schemars::JsonSchema;
use serde::Serialize;

use super::rows::Pace;
use super::{BETTER, Fit, LEAST_FACTOR, Point, fit, regimes};
use crate::sort_rows::SortRows as _;

/// Steps that a statement must take more at the largest size than at the smallest: some 50 µs of work.
pub const LEAST_STEPS: f64 = 1_000.0;

/// Of a range of sizes wider than this, the smaller ones say little: what a statement does once outweighs what it does
/// per row.
const WIDEST: f64 = 32.0;

/// A table with fewer rows is not judged.
const FEWEST_ROWS: f64 = 8.0;

/// Rows within this factor of each other are one size.
const ONE_SIZE: f64 = 1.1;

/// Calls of one point at most, as a share of all.
const POINTS: usize = 60;

/// A forecast is for a call of this length, µs, and not for later than this many days.
const HURTS: f64 = 100_000.0;
const FARTHEST: f64 = 730.0;

/// Seconds of a day.
const DAY: f64 = 86_400.0;

/// The order of growth of steps with the rows of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The same for any number of rows.
    Flat,
    /// Far slower than the rows.
    Log,
    /// As the rows.
    Rows,
    /// Faster than the rows: each row meets more of others.
    RowsTimesMatches,
    /// Faster than the square of the rows.
    Worse,
}

impl Order {
    /// The order of a power of the rows.
    fn from_exponent(exponent: f64) -> Self {
        match exponent {
            e if e < 0.1 => Self::Flat,
            e if e < 0.5 => Self::Log,
            e if e < 1.25 => Self::Rows,
            e if e < 2.25 => Self::RowsTimesMatches,
            _ => Self::Worse,
        }
    }

    /// In words: it grows …
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Flat => "not at all",
            Self::Log => "with the logarithm of the rows",
            Self::Rows => "with the rows",
            Self::RowsTimesMatches => "with the rows × the matches of each",
            Self::Worse => "faster than the square of the rows",
        }
    }
}

/// Calls at one size of the table.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema, Serialize)]
pub struct StepPoint {
    /// When, seconds since the epoch, with fractions.
    pub at: f64,
    /// Rows of the table.
    pub rows: f64,
    /// Median of the steps of a call.
    pub steps: f64,
}

/// Growth in a stretch of time in which nothing else changed than the rows.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema, Serialize)]
pub struct Trend {
    /// The order of growth of the steps.
    pub order: Order,
    /// The power of the rows that steps follow.
    pub exponent: f64,
    /// Fewest rows.
    pub rows_min: f64,
    /// Most rows.
    pub rows_max: f64,
    /// Steps at the fewest rows.
    pub steps_min: f64,
    /// Steps at the most rows.
    pub steps_max: f64,
    /// The line through its points, in steps.
    pub line: Fit,
}

impl Trend {
    /// The growth that some points show; none where the table did not grow enough to tell.
    #[must_use]
    pub fn fit(points: &[StepPoint]) -> Option<Self> {
        let most = points.iter().map(|point| point.rows).fold(0.0, f64::max);
        let mut own: Vec<StepPoint> = points.to_vec();
        own.retain(|point| point.rows >= 1.0);
        own.sort_rows_by(|a, b| a.rows.total_cmp(&b.rows));
        // If there are none between the small sizes and the large ones, the small ones have to do.
        let small = own.partition_point(|point| point.rows < most / WIDEST);
        if own.get(small)?.rows * LEAST_FACTOR <= most {
            own.drain(..small);
        }
        let (first, last) = (own.first()?, own.last()?);
        if most < FEWEST_ROWS || last.rows < LEAST_FACTOR * first.rows {
            return None;
        }
        let line = fit(&plain(&own))?;
        let logs: Vec<Point> = own
            .iter()
            .map(|point| Point {
                at: point.at,
                rows: point.rows.ln(),
                micros: point.steps.max(1.0).ln(),
            })
            .collect();
        // The slope of the line through logarithms is the power of the rows.
        let exponent = fit(&logs)?.per_row;
        Some(Self {
            order: Order::from_exponent(exponent),
            exponent,
            rows_min: first.rows,
            rows_max: last.rows,
            steps_min: first.steps,
            steps_max: last.steps,
            line,
        })
    }

    /// Whether it takes more with more rows, enough to say so.
    #[must_use]
    pub fn grows(&self) -> bool {
        self.order >= Order::Rows && self.steps_max - self.steps_min >= LEAST_STEPS
    }

    /// Steps of a call at a number of rows.
    #[must_use]
    pub fn at(&self, rows: f64) -> f64 {
        self.steps_max.max(1.0) * (rows.max(1.0) / self.rows_max).powf(self.exponent)
    }

    /// At how many rows a call takes so many steps.
    fn rows_at(&self, steps: f64) -> f64 {
        self.rows_max * (steps / self.steps_max.max(1.0)).powf(1.0 / self.exponent)
    }
}

/// When a call will take 100 ms.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema, Serialize)]
pub struct Forecast {
    /// Rows that come in a day, as in the last hours.
    pub rows_per_day: f64,
    /// The time of a call then, µs.
    pub micros: f64,
    /// When, seconds since the epoch.
    pub at: f64,
    /// When at the earliest.
    pub earliest: f64,
    /// When at the latest; none where the slowest growth that was seen does not lead there in two years.
    pub latest: Option<f64>,
}

/// Steps against rows.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Steps {
    /// Oldest first.
    pub points: Vec<StepPoint>,
    /// The time of a step today, µs: the least, the middle and the most of the newest points.
    pub micros_per_step: Option<[f64; 3]>,
    /// The forecast of when a call becomes slow, where there is one.
    pub forecast: Option<Forecast>,
    #[serde(skip)]
    stretches: Vec<Stretch>,
}

/// Points between two changes of what the statement does.
#[derive(Debug, Clone, PartialEq)]
struct Stretch {
    from: f64,
    /// The middle of its rows, and the mean of its steps.
    rows: f64,
    mean: f64,
    trend: Option<Trend>,
}

impl Steps {
    /// From points in the order of time, and from how long calls took at about the same times. None without points.
    pub(super) fn from_points(
        points: Vec<StepPoint>,
        times: &[Point],
        pace: Option<Pace>,
    ) -> Option<Self> {
        let plain = plain(&points);
        let stretches = regimes(&plain).into_iter().map(|regime| Stretch {
            from: regime.from,
            rows: (regime.rows_min + regime.rows_max) / 2.0,
            mean: regime.mean,
            trend: Trend::fit(&points[regime.start..regime.end]),
        });
        let stretches: Vec<Stretch> = stretches.collect();
        let mut steps = Self {
            micros_per_step: micros_per_step(&points, times),
            points,
            forecast: None,
            stretches,
        };
        steps.stretches.last()?;
        steps.forecast = steps
            .growing()
            .zip(steps.micros_per_step)
            .zip(pace)
            .and_then(|((trend, micros), pace)| forecast(trend, micros, pace));
        Some(steps)
    }

    /// Whether it can be told how the statement grows: its table had two sizes, one at least twice the other.
    #[must_use]
    pub fn is_judged(&self) -> bool {
        self.stretches.iter().any(|stretch| stretch.trend.is_some())
    }

    /// The growth that holds today, where it is known.
    #[must_use]
    pub fn trend(&self) -> Option<&Trend> {
        self.stretches
            .iter()
            .rev()
            .find_map(|stretch| stretch.trend.as_ref())
    }

    /// The growth that goes on: that of the last stretch, or of an earlier one that nothing better has followed.
    #[must_use]
    pub fn growing(&self) -> Option<&Trend> {
        let (trend, better) = self.grew()?;
        better.is_none().then_some(trend)
    }

    /// When growth ended, if it did: seconds since the epoch.
    #[must_use]
    pub fn ended(&self) -> Option<f64> {
        self.grew()?.1
    }

    /// The last growth, and since when something better has followed it.
    fn grew(&self) -> Option<(&Trend, Option<f64>)> {
        let grows = |stretch: &Stretch| stretch.trend.is_some_and(|trend| trend.grows());
        let at = self.stretches.iter().rposition(grows)?;
        let trend = self.stretches[at].trend.as_ref()?;
        let better = self.stretches[at + 1..]
            .iter()
            .find(|later| later.mean < BETTER * trend.at(later.rows));
        Some((trend, better.map(|later| later.from)))
    }
}

/// The same points for what knows lines only.
fn plain(points: &[StepPoint]) -> Vec<Point> {
    let plain = points.iter().map(|point| Point {
        at: point.at,
        rows: point.rows,
        micros: point.steps,
    });
    plain.collect()
}

/// Points from single calls, (when, rows, steps) in the order of time: medians of neighbours at about one size.
pub(super) fn grouped(calls: &[(f64, f64, f64)]) -> Vec<StepPoint> {
    let most = calls.len().div_ceil(POINTS).max(1);
    let mut points = Vec::new();
    let mut start = 0;
    for end in 1..=calls.len() {
        let rows = calls[start].1.max(1.0);
        // A group ends where the size changes, or when it is four times as long as it should be.
        let is_end = calls.get(end).is_none_or(|next| {
            let next = next.1.max(1.0);
            end - start >= most
                && (next > rows * ONE_SIZE || next * ONE_SIZE < rows || end - start >= 4 * most)
        });
        if is_end {
            let group = &calls[start..end];
            let mut steps: Vec<f64> = group.iter().map(|call| call.2).collect();
            steps.sort_unstable_by(f64::total_cmp);
            let (at, rows, _) = group[group.len() / 2];
            points.push(StepPoint {
                at,
                rows,
                steps: steps[steps.len() / 2],
            });
            start = end;
        }
    }
    points
}

/// The time of a step: of the newest points of both kinds.
fn micros_per_step(points: &[StepPoint], times: &[Point]) -> Option<[f64; 3]> {
    /// Number of points that are looked at.
    const NEWEST: usize = 5;
    let times = &times[times.len().saturating_sub(NEWEST)..];
    let mut each: Vec<f64> = times
        .iter()
        .filter_map(|time| {
            let nearest = points
                .iter()
                .min_by(|a, b| (a.at - time.at).abs().total_cmp(&(b.at - time.at).abs()))?;
            (nearest.steps >= 1.0).then(|| time.micros / nearest.steps)
        })
        .collect();
    each.sort_unstable_by(f64::total_cmp);
    Some([*each.first()?, each[each.len() / 2], *each.last()?])
}

/// When a call takes [`HURTS`] at the pace of the rows; none where it does so now, or where that is far.
fn forecast(trend: &Trend, micros: [f64; 3], pace: Pace) -> Option<Forecast> {
    let after = |micros: f64, rows_per_day: f64| {
        let missing = trend.rows_at(HURTS / micros) - pace.rows;
        let days = missing / rows_per_day;
        (rows_per_day > 0.0 && days.is_finite() && days <= FARTHEST).then_some(days)
    };
    let [least, middle, most] = micros;
    let days = after(middle, pace.per_day)?;
    // The dearest steps and the fastest growth lead there first.
    let earliest = after(most, pace.most_per_day)?;
    if earliest <= 0.0 {
        return None;
    }
    Some(Forecast {
        rows_per_day: pace.per_day,
        micros: HURTS,
        at: pace.at + days * DAY,
        earliest: pace.at + earliest * DAY,
        latest: after(least, pace.least_per_day).map(|days| pace.at + days * DAY),
    })
}

#[cfg(test)]
mod tests;
