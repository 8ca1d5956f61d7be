//! The points of a statement: medians of its calls, and how many rows its table had then.
//!
//! Rows come from a gauge `<table>.rows` where the agent sends one, and from the INSERTs that were seen (see
//! [`super::rows`]). A statement that ran in many minutes is read from the rollups; one that ran in few, from a sample
//! of its spans, cut into groups of equally many calls.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Nullable, Text};
use schemars::JsonSchema;
use serde::Serialize;

use super::rows::Rows;
use super::steps::{self, StepPoint, Steps};
use super::{BETTER, Point, Regime, Source, regimes};
use crate::analytics::Scope;
use crate::analytics::percentile::representative;
use crate::analytics::sql::Sql;
use crate::sort_rows::SortRows as _;

/// The time for which points go back, seconds.
pub const SPAN: i64 = 6 * 3600;

/// From so many minutes on with calls, minutes are the points.
const MINUTES: i64 = 15;

/// INSERTs are told by short slots of time while they came in no more minutes than this, and are no more.
const INSERT_MINUTES: i64 = 60;
const INSERTS: i64 = 200_000;

/// Slots of INSERTs at most, unless they would be longer than the longest, µs. A busy service does much within a tenth
/// of a second, and nothing in the next.
const INSERT_SLOTS: i64 = 30_000;
const LONGEST_SLOT: i64 = 100_000;

/// Up to so many calls all are read; of more, the first `EACH` of each of `SLOTS` stretches of time.
const CALLS: i64 = 6_000;
const SLOTS: i64 = 60;
const EACH: i64 = 60;

/// Groups that spans are cut into, and the fewest calls in one.
const GROUPS: usize = 30;
const FEWEST: usize = 5;

/// Samples of a gauge that are read.
const SAMPLES: i64 = 50_000;

/// Latency against rows.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Growth {
    /// The table.
    pub table: String,
    /// The source of the number of its rows.
    pub source: Source,
    /// Whether there were calls, and nothing that tells how many rows there were.
    #[serde(skip)]
    pub rows_unknown: bool,
    /// Oldest first.
    pub points: Vec<Point>,
    /// Oldest first; the last one holds today.
    pub regimes: Vec<Regime>,
    /// Steps of SQLite against the rows; none where they are not known.
    pub steps: Option<Steps>,
    /// The statement that asked for the durations, as the `sqlite3` shell takes it; the rows at each time are worked
    /// out beside it.
    #[serde(skip)]
    pub sql: String,
}

impl Growth {
    /// The regime that grows now: the last one, or an earlier one that nothing better has followed. A stretch in which
    /// the machine was busy is no end of growth.
    #[must_use]
    pub fn growing(&self) -> Option<&Regime> {
        let (at, grows) = self.grew()?;
        let later = &self.regimes[at + 1..];
        (!later.iter().any(|regime| is_better(regime, grows))).then_some(grows)
    }

    /// When growth ended, if it did: seconds since the epoch.
    #[must_use]
    pub fn ended(&self) -> Option<f64> {
        let (at, grows) = self.grew()?;
        let mut later = self.regimes[at + 1..].iter();
        later
            .find(|regime| is_better(regime, grows))
            .map(|regime| regime.from)
    }

    /// The last regime that grows, and its place.
    fn grew(&self) -> Option<(usize, &Regime)> {
        let mut newest_first = self.regimes.iter().enumerate().rev();
        newest_first.find(|(_, regime)| regime.grows())
    }
}

/// Whether calls take well less than growth would have made of them by then.
fn is_better(regime: &Regime, than: &Regime) -> bool {
    let rows = (regime.rows_min + regime.rows_max) / 2.0;
    than.fit
        .is_some_and(|fit| regime.mean < BETTER * fit.at(rows).max(1.0))
}

/// The statement that is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject<'a> {
    /// Its row in the dictionary.
    pub statement: i64,
    /// The service's row.
    pub service: i64,
    /// The table that it reads.
    pub table: &'a str,
}

/// A statement's row, to ask about its growth.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Known {
    /// Its row in the dictionary.
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    /// The service's row.
    #[diesel(sql_type = BigInt)]
    pub service_id: i64,
    /// The table that it reads, may be empty.
    #[diesel(sql_type = Text)]
    pub table_name: String,
}

impl Known {
    /// The questions about its growth.
    #[must_use]
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            statement: self.id,
            service: self.service_id,
            table: &self.table_name,
        }
    }
}

/// The statements of a fingerprint: one for each service and database.
///
/// # Errors
/// Those of SQLite.
pub fn subjects(
    conn: &mut SqliteConnection,
    scope: &Scope,
    fingerprint: u64,
) -> QueryResult<Vec<Known>> {
    scope
        .bind(Sql::new(include_str!("subjects.sql")))
        .bind("fingerprint", fingerprint.cast_signed())
        .load(conn)
}

#[derive(QueryableByName)]
struct Activity {
    #[diesel(sql_type = BigInt)]
    minutes: i64,
    #[diesel(sql_type = BigInt)]
    n: i64,
    #[diesel(sql_type = Double)]
    calls: f64,
    #[diesel(sql_type = BigInt)]
    first: i64,
    #[diesel(sql_type = BigInt)]
    last: i64,
}

#[derive(QueryableByName)]
struct At {
    #[diesel(sql_type = BigInt)]
    at: i64,
    #[diesel(sql_type = Double)]
    value: f64,
}

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

/// Reads the points of a statement over the [`SPAN`] before `now` (seconds).
///
/// # Errors
/// Those of SQLite.
pub fn read(
    conn: &mut SqliteConnection,
    subject: Subject<'_>,
    now: i64,
) -> QueryResult<Option<Growth>> {
    if subject.table.is_empty() {
        return Ok(None);
    }
    // On a full hour, so that points do not shift from reading to reading.
    let from = (now - SPAN).div_euclid(3600) * 3600;
    let bound = |text: &'static str| {
        Sql::new(text)
            .bind("statement", subject.statement)
            .bind("service", subject.service)
            .bind("table", subject.table)
            .bind("gauge", format!("{}.rows", subject.table))
            .bind("from", from)
            // The minute that has begun counts.
            .bind("to", now + 60)
            .bind("limit", SAMPLES)
    };
    let own: Activity = bound(include_str!("activity.sql")).first(conn)?;
    let inserts: Activity = bound(include_str!("inserts_activity.sql")).first(conn)?;
    let gauge: Vec<At> = bound(include_str!("gauge.sql")).load(conn)?;
    let within = |text: &'static str, of: &Activity| {
        bound(text).bind("first", of.first).bind("last", of.last)
    };
    let asked;
    let mut single: Vec<Call> = Vec::new();
    let mut stepped: Vec<At> = Vec::new();
    let calls: Vec<(f64, f64)> = if own.minutes >= MINUTES {
        asked = bound(include_str!("minutes.sql"));
        stepped = bound(include_str!("steps_minutes.sql")).load(conn)?;
        medians(&asked.load(conn)?)
    } else {
        let (slots, each) = if own.n > CALLS {
            (SLOTS, EACH)
        } else {
            (1, CALLS)
        };
        asked = within(include_str!("spans.sql"), &own)
            .bind("slots", slots)
            .bind("each", each);
        single = asked.load(conn)?;
        groups(&single)
    };
    let before: At = bound(include_str!("inserts_before.sql")).first(conn)?;
    let seen = if inserts.minutes > INSERT_MINUTES || inserts.n > INSERTS {
        let steps: Vec<At> = bound(include_str!("inserts_minutes.sql")).load(conn)?;
        let steps = steps.iter().map(|step| (step.at as f64 + 60.0, step.value));
        running(before.value, 60.0, steps)
    } else {
        // A span may stand for several calls, and some failed: how many of each, the rollups know.
        let each = inserts.calls / inserts.n.max(1) as f64;
        let width = ((inserts.last - inserts.first) / INSERT_SLOTS).clamp(1_000, LONGEST_SLOT);
        let steps: Vec<At> = within(include_str!("inserts_spans.sql"), &inserts)
            .bind("width", width)
            .load(conn)?;
        let steps = steps
            .iter()
            .map(|step| (step.at as f64 / 1e6, step.value * each));
        running(before.value, width as f64 / 1e6, steps)
    };
    let gauge = gauge.iter().map(|row| (row.at as f64 / 1e6, row.value));
    let gauge: Vec<(f64, f64)> = gauge.collect();
    let rows_unknown = gauge.is_empty() && seen.is_empty();
    let rows = Rows::from_samples(gauge, seen);
    let points: Vec<Point> = calls
        .into_iter()
        .filter_map(|(at, micros)| {
            Some(Point {
                at,
                rows: rows.at(at)?,
                micros,
            })
        })
        .collect();
    let regimes = regimes(&points);
    let steps = if single.is_empty() {
        let minutes = stepped.iter().filter_map(|minute| {
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
        let calls = single.iter().filter_map(|call| {
            let at = call.at as f64 / 1e6;
            Some((at, rows.at(at)?, call.steps?))
        });
        steps::grouped(&calls.collect::<Vec<_>>())
    };
    let steps = Steps::from_points(steps, &points, rows.pace());
    Ok(Some(Growth {
        table: subject.table.to_owned(),
        source: rows.source,
        rows_unknown,
        points,
        regimes,
        steps,
        sql: asked.shell(),
    }))
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

/// Rows at the end of each step, of `(its end, how many came)`; between two steps that are further apart than `length`
/// none came.
fn running(before: f64, length: f64, steps: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    let mut rows = before;
    let mut out: Vec<(f64, f64)> = Vec::new();
    for (end, came) in steps {
        let start = end - length;
        if out.last().is_none_or(|last| last.0 < start - length / 2.0) {
            out.push((start, rows));
        }
        rows += came;
        out.push((end, rows));
    }
    out
}

#[cfg(test)]
mod tests;
