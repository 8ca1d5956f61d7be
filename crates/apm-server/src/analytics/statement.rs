//! One statement: its text, its trend, its calls as samples.

pub(super) mod short;

use apm_store::id::{Identifier, StoredId};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};
use schemars::JsonSchema;
use serde::Serialize;

use super::cache::Table;
use super::distribution::{Distribution, Scale};
use super::latency::{self, Latency};
use super::members::Members;
use super::newest::{Timed, newest};
use super::samples::Durations;
use super::series::Axis;
use super::sql::Sql;
use super::statements::{self, Statement};
use super::window::Window;
use super::{Scope, histograms, outcome, totals};

/// One call, or several folded into one span.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Call {
    /// The event's number.
    pub seq: i64,
    /// µs since the epoch.
    pub timestamp: i64,
    /// Of the span, µs.
    pub duration: i64,
    /// `trace.id`
    pub trace_id: String,
    /// `span.id`
    pub span_id: String,
    /// Calls in it; more than 1 where the agent folded them.
    pub calls: i64,
    /// `success`, `failure` or `unknown`.
    pub outcome: &'static str,
}

/// One statement; one row for each service and database that runs it.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Detail {
    /// The places where it runs.
    pub statements: Vec<Statement>,
    /// Number of such places with less time that are not listed.
    pub left_out: usize,
    /// The buckets of their series.
    pub axis: Axis,
    /// The newest spans of it, at most 100.
    pub samples: Vec<Call>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = BigInt)]
    ts: i64,
    #[diesel(sql_type = BigInt)]
    duration: i64,
    #[diesel(sql_type = Identifier)]
    trace_id: StoredId,
    #[diesel(sql_type = Identifier)]
    id: StoredId,
    #[diesel(sql_type = BigInt)]
    outcome: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    composite_count: Option<i64>,
}

impl Timed for Row {
    fn at(&self) -> (i64, i64) {
        (self.ts, self.seq)
    }
}

/// Spans that are shown.
const SAMPLES: i64 = 100;

/// The query behind the distribution.
pub(super) fn distribution_sql(scope: &Scope, fingerprint: u64, window: &Window) -> Sql {
    bound(
        include_str!("statement/histogram.sql"),
        scope,
        fingerprint,
        window,
    )
}

fn bound(text: &'static str, scope: &Scope, fingerprint: u64, window: &Window) -> Sql {
    window
        .bind(scope.bind(Sql::new(text)))
        .bind("fingerprint", fingerprint.cast_signed())
}

/// The time of its calls over time, wherever it runs; percentiles from histograms.
///
/// # Errors
/// Those of SQLite.
pub fn trend(
    conn: &mut SqliteConnection,
    scope: &Scope,
    fingerprint: u64,
    window: &Window,
) -> QueryResult<Latency> {
    let members = statements::members(conn, scope, Some(fingerprint), window)?;
    let members: Members = members.ids().map(|id| (id, "")).collect();
    if let Some(fine) = short::trend(conn, &members, window)? {
        return Ok(fine);
    }
    latency::charts(conn, Table::Statements, &members, window, |conn, _| {
        let slices = window.series_slices();
        let interval = Some(window.interval);
        histograms::percentiles(conn, Table::Statements, &members, &slices, interval)
    })
}

/// The distribution of its calls.
///
/// # Errors
/// Those of SQLite.
pub fn distribution(
    conn: &mut SqliteConnection,
    scope: &Scope,
    fingerprint: u64,
    window: &Window,
    scale: Scale,
) -> QueryResult<Distribution> {
    let sql = distribution_sql(scope, fingerprint, window);
    let members = statements::members(conn, scope, Some(fingerprint), window)?;
    let mut total = totals::Total::default();
    for sum in totals::of_window(conn, Table::Statements, &members, &window.slices())? {
        total.add(&sum.total);
    }
    super::distribution::read(conn, &sql, scale, &total)
}

/// Reads one statement, with samples of some durations.
///
/// # Errors
/// Those of SQLite.
pub fn detail(
    conn: &mut SqliteConnection,
    scope: &Scope,
    fingerprint: u64,
    durations: Durations,
    window: &Window,
) -> QueryResult<Detail> {
    let (found, groups) = statements::one(conn, scope, fingerprint, window)?;
    let bound = (window.range.from, SAMPLES);
    let samples: Vec<Row> = newest(conn, &groups, bound, || {
        window
            .bind(Sql::new(include_str!("statement/newest.sql")))
            .bind("min", durations.min)
            .bind("max", durations.max)
    })?;
    Ok(Detail {
        statements: found.statements,
        left_out: found.left_out,
        axis: found.axis,
        samples: samples
            .into_iter()
            .map(|row| Call {
                seq: row.seq,
                timestamp: row.ts,
                duration: row.duration,
                trace_id: row.trace_id.to_string(),
                span_id: row.id.to_string(),
                calls: row.composite_count.unwrap_or(1),
                outcome: outcome(row.outcome).as_str(),
            })
            .collect(),
    })
}
