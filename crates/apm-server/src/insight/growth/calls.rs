//! The calls of a statement: their medians by time, to be held against the rows of a table.
//!
//! A statement that ran in many minutes is read from the rollups; one that ran in few, from a sample of its spans, cut
//! into groups of equally many calls.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Nullable};

use super::of_table::Growth;
use super::question::{Activity, At, Question};
use super::rows::Rows;
use super::steps::{self, StepPoint, Steps};
use super::{Point, regimes};
use crate::analytics::percentile::representative;
use crate::sort_rows::SortRows as _;

/// From so many minutes on with calls, minutes are the points.
const MINUTES: i64 = 15;

/// Up to so many calls all are read; of more, the first `EACH` of each of `SLOTS` stretches of time.
const CALLS: i64 = 6_000;
const SLOTS: i64 = 60;
const EACH: i64 = 60;

/// Groups that spans are cut into, and the fewest calls in one.
const GROUPS: usize = 30;
const FEWEST: usize = 5;

#[derive(QueryableByName)]
struct Call {
    #[diesel(sql_type = BigInt)]
    at: i64,
    #[diesel(sql_type = Double)]
    value: f64,
    #[diesel(sql_type = Nullable<Double>)]
    steps: Option<f64>,
}

#[derive(QueryableByName)]
struct Bin {
    #[diesel(sql_type = BigInt)]
    at: i64,
    #[diesel(sql_type = BigInt)]
    bin: i64,
    #[diesel(sql_type = Double)]
    count: f64,
}

/// The calls of a statement.
pub(super) struct Calls {
    /// Medians of stretches of time: seconds since the epoch, µs.
    medians: Vec<(f64, f64)>,
    /// Single calls, where there are not many.
    single: Vec<Call>,
    /// Else the mean steps of minutes.
    stepped: Vec<At>,
    /// The statement that asked for the durations.
    sql: String,
}

impl Calls {
    pub(super) fn read(conn: &mut SqliteConnection, question: Question) -> QueryResult<Self> {
        let own: Activity = question.bound(include_str!("activity.sql")).first(conn)?;
        if own.minutes >= MINUTES {
            let asked = question.bound(include_str!("minutes.sql"));
            return Ok(Self {
                stepped: question
                    .bound(include_str!("steps_minutes.sql"))
                    .load(conn)?,
                medians: medians(&asked.load(conn)?),
                single: Vec::new(),
                sql: asked.shell(),
            });
        }
        let (slots, each) = if own.n > CALLS {
            (SLOTS, EACH)
        } else {
            (1, CALLS)
        };
        let asked = question
            .bound(include_str!("spans.sql"))
            .bind("first", own.first)
            .bind("last", own.last)
            .bind("slots", slots)
            .bind("each", each);
        let single: Vec<Call> = asked.load(conn)?;
        Ok(Self {
            medians: groups(&single),
            single,
            stepped: Vec::new(),
            sql: asked.shell(),
        })
    }

    /// The calls against the rows of a table.
    pub(super) fn against(&self, table: String, rows: &Rows) -> Growth {
        let points: Vec<Point> = self
            .medians
            .iter()
            .filter_map(|&(at, micros)| {
                Some(Point {
                    at,
                    rows: rows.at(at)?,
                    micros,
                })
            })
            .collect();
        let steps = if self.single.is_empty() {
            let minutes = self.stepped.iter().filter_map(|minute| {
                // The middle of a minute stands for it.
                let at = minute.at as f64 + 30.0;
                Some(StepPoint {
                    at,
                    rows: rows.at(at)?,
                    steps: minute.value,
                })
            });
            minutes.collect()
        } else {
            let calls = self.single.iter().filter_map(|call| {
                let at = call.at as f64 / 1e6;
                Some((at, rows.at(at)?, call.steps?))
            });
            steps::grouped(&calls.collect::<Vec<_>>())
        };
        Growth {
            table,
            source: rows.source,
            rows_unknown: rows.is_unknown(),
            regimes: regimes(&points),
            steps: Steps::from_points(steps, &points, rows.pace()),
            points,
            sql: self.sql.clone(),
        }
    }
}

/// Medians of minutes, from bins in the order of time.
fn medians(bins: &[Bin]) -> Vec<(f64, f64)> {
    bins.chunk_by(|a, b| a.at == b.at)
        .map(|minute| {
            // Those of each outcome are in order; there are few of all but one.
            let mut counts: Vec<(i64, f64)> =
                minute.iter().map(|bin| (bin.bin, bin.count)).collect();
            counts.sort_rows_by_key(|(bin, _)| *bin);
            let total: f64 = counts.iter().map(|(_, count)| count).sum();
            let mut upto = 0.0;
            let median = counts.iter().find(|(_, count)| {
                upto += count;
                upto >= total / 2.0 - 1e-9
            });
            let bin = median.map_or(counts[0].0, |(bin, _)| *bin);
            (minute[0].at as f64 + 30.0, representative(bin))
        })
        .collect()
}

/// Medians of groups of equally many calls, from (µs since the epoch, µs) in order.
fn groups(calls: &[Call]) -> Vec<(f64, f64)> {
    let size = calls.len().div_ceil(GROUPS).max(FEWEST);
    calls
        .chunks(size)
        .filter(|group| group.len() >= FEWEST)
        .map(|group| {
            let mut values: Vec<f64> = group.iter().map(|call| call.value).collect();
            values.sort_unstable_by(f64::total_cmp);
            (
                group[group.len() / 2].at as f64 / 1e6,
                values[values.len() / 2],
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_a_minute_is_that_of_all_outcomes() {
        let bin = |at, bin, count| Bin { at, bin, count };
        // Successes of two bins, then failures of one between them and of one above.
        let bins = [
            bin(60, 10, 2.0),
            bin(60, 30, 2.0),
            bin(60, 20, 3.0),
            bin(60, 90, 1.0),
            bin(120, 50, 1.0),
        ];
        let found = medians(&bins);
        assert_eq!(
            found,
            [(90.0, representative(20)), (150.0, representative(50))]
        );
    }
}
