//! The points of a statement: medians of its calls, and how many rows its table had then.
//!
//! Rows come from a gauge `<table>.rows` where the agent sends one, else from the INSERTs that were seen, since the beginning
//! of the records: rows that were there before, or were deleted, are not known. A statement that ran in many minutes is read
//! from the rollups; one that ran in few, from its spans, cut into groups of equally many calls.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Text};
use serde::Serialize;

use super::{Point, Regime, regimes};
use crate::analytics::Scope;
use crate::analytics::percentile::representative;
use crate::analytics::sql::Sql;

/// How far back the points go, seconds.
pub const SPAN: i64 = 6 * 3600;

/// From so many minutes on with calls, minutes are the points.
const MINUTES: i64 = 15;

/// Spans that are read at most, of the statement and of the INSERTs alike.
const SPANS: i64 = 50_000;

/// Groups that spans are cut into, and the fewest calls in one.
const GROUPS: usize = 30;
const FEWEST: usize = 5;

/// Where the number of rows comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A gauge that the service sends.
    Gauge,
    /// INSERTs that were seen.
    Inserts,
}

/// Latency against rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Growth {
    /// The table.
    pub table: String,
    /// Where the number of its rows comes from.
    pub source: Source,
    /// Oldest first.
    pub points: Vec<Point>,
    /// Oldest first; the last one holds today.
    pub regimes: Vec<Regime>,
}

impl Growth {
    /// The regime that holds now, if it grows.
    #[must_use]
    pub fn growing(&self) -> Option<&Regime> {
        self.regimes.last().filter(|regime| regime.grows())
    }

    /// When growth ended, if it did: seconds since the epoch.
    #[must_use]
    pub fn ended(&self) -> Option<f64> {
        let (last, earlier) = self.regimes.split_last()?;
        (!last.grows() && earlier.iter().any(Regime::grows)).then_some(last.from)
    }
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
}

#[derive(QueryableByName)]
struct At {
    #[diesel(sql_type = BigInt)]
    at: i64,
    #[diesel(sql_type = Double)]
    value: f64,
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
    let from = (now - SPAN).div_euclid(3600) * 3600;
    let bound = |text: &'static str| {
        Sql::new(text)
            .bind("statement", subject.statement)
            .bind("service", subject.service)
            .bind("table", subject.table)
            .bind("gauge", format!("{}.rows", subject.table))
            .bind("from", from)
            .bind("to", now + 60)
            .bind("limit", SPANS)
    };
    let own: Activity = bound(include_str!("activity.sql")).first(conn)?;
    let inserts: Activity = bound(include_str!("inserts_activity.sql")).first(conn)?;
    let gauge: Vec<At> = bound(include_str!("gauge.sql")).load(conn)?;
    let by_minute = own.minutes >= MINUTES || own.n > SPANS || inserts.n > SPANS;
    let calls: Vec<(f64, f64)> = if by_minute {
        medians(&bound(include_str!("minutes.sql")).load(conn)?)
    } else {
        groups(&bound(include_str!("spans.sql")).load(conn)?)
    };
    let (source, steps) = if gauge.len() >= 2 {
        (
            Source::Gauge,
            gauge
                .iter()
                .map(|row| (row.at as f64 / 1e6, row.value))
                .collect(),
        )
    } else {
        let before: At = bound(include_str!("inserts_before.sql")).first(conn)?;
        let text = if by_minute {
            include_str!("inserts_minutes.sql")
        } else {
            include_str!("inserts_spans.sql")
        };
        let steps: Vec<At> = bound(text).load(conn)?;
        (Source::Inserts, running(before.value, &steps, by_minute))
    };
    let points: Vec<Point> = calls
        .into_iter()
        .filter_map(|(at, micros)| {
            Some(Point {
                at,
                rows: interpolated(&steps, at)?,
                micros,
            })
        })
        .collect();
    let regimes = regimes(&points);
    Ok(Some(Growth {
        table: subject.table.to_owned(),
        source,
        points,
        regimes,
    }))
}

/// Medians of minutes, from bins in order.
fn medians(bins: &[Bin]) -> Vec<(f64, f64)> {
    bins.chunk_by(|a, b| a.at == b.at)
        .map(|minute| {
            let total: f64 = minute.iter().map(|bin| bin.count).sum();
            let mut upto = 0.0;
            let median = minute.iter().find(|bin| {
                upto += bin.count;
                upto >= total / 2.0 - 1e-9
            });
            let bin = median.map_or(minute[0].bin, |bin| bin.bin);
            (minute[0].at as f64 + 30.0, representative(bin))
        })
        .collect()
}

/// Medians of groups of equally many calls, from (µs since the epoch, µs) in order.
fn groups(calls: &[At]) -> Vec<(f64, f64)> {
    let size = calls.len().div_ceil(GROUPS).max(FEWEST);
    calls
        .chunks(size)
        .filter(|group| group.len() >= FEWEST)
        .map(|group| {
            let mut values: Vec<f64> = group.iter().map(|call| call.value).collect();
            values.sort_by(f64::total_cmp);
            (
                group[group.len() / 2].at as f64 / 1e6,
                values[values.len() / 2],
            )
        })
        .collect()
}

/// Rows after each step; a minute's are taken to come at its end.
fn running(before: f64, steps: &[At], by_minute: bool) -> Vec<(f64, f64)> {
    let mut rows = before;
    let mut out = Vec::with_capacity(steps.len() + 1);
    if let Some(first) = steps.first() {
        let at = if by_minute {
            first.at as f64
        } else {
            first.at as f64 / 1e6
        };
        out.push((at, rows));
    }
    for step in steps {
        rows += step.value;
        let at = if by_minute {
            step.at as f64 + 60.0
        } else {
            step.at as f64 / 1e6
        };
        out.push((at, rows));
    }
    out
}

/// The value at a time, on the line between its neighbours.
fn interpolated(steps: &[(f64, f64)], at: f64) -> Option<f64> {
    let next = steps.partition_point(|step| step.0 <= at);
    let before = next.checked_sub(1).map(|i| steps[i]);
    match (before, steps.get(next).copied()) {
        (Some((t0, v0)), Some((t1, v1))) => Some(v0 + (v1 - v0) * (at - t0) / (t1 - t0)),
        (Some((_, value)), None) | (None, Some((_, value))) => Some(value),
        (None, None) => None,
    }
}
