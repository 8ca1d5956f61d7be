//! The duration of transactions over time: mean, percentiles, and the share that failed.

use std::collections::HashMap;

use diesel::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;

use super::Scope;
use super::cache::Table;
use super::members::Members;
use super::percentile::{self, ByKey, Percentiles};
use super::series::{Axis, Series};
use super::sql::Sql;
use super::totals;
use super::transaction_percentiles;
use super::window::{Bucket, Window};

/// The charts of a service or a transaction group; a value for each of the axis's buckets.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Latency {
    /// The buckets.
    pub axis: Axis,
    /// Transactions in each bucket.
    pub count: Vec<f64>,
    /// Mean duration, µs.
    pub avg: Vec<Option<f64>>,
    /// Percentiles of the duration, µs.
    pub percentiles: Vec<Option<Percentiles>>,
    /// Transactions per minute.
    pub throughput: Vec<f64>,
    /// Failed / judged, 0 to 1.
    pub failed_rate: Vec<Option<f64>>,
    /// The whole window in one.
    pub total: Total,
}

/// The whole window in one.
#[derive(Debug, Clone, Copy, Default, PartialEq, JsonSchema, Serialize)]
pub struct Total {
    /// Transactions.
    pub count: f64,
    /// Mean duration, µs.
    pub avg: Option<f64>,
    /// Longest duration, µs.
    pub max: i64,
    /// Per minute.
    pub throughput: f64,
    /// Failed / judged, 0 to 1.
    pub failed_rate: Option<f64>,
}

/// The numbers of the whole window.
pub(super) fn total(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
) -> QueryResult<totals::Total> {
    let members = members(conn, scope, window)?;
    let sums = totals::of_window(conn, Table::Transactions, &members, &window.slices())?;
    Ok(sums.first().map(|sum| sum.total).unwrap_or_default())
}

/// One key for all: the chart shows what the scope holds together.
pub(super) fn members(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
) -> QueryResult<Members> {
    let sql = Sql::new(include_str!("latency/members.sql"));
    Members::of_scope(conn, scope, &window.bind(scope.bind(sql)))
}

/// The charts of whatever the scope holds.
///
/// # Errors
/// Those of SQLite.
pub fn chart(conn: &mut SqliteConnection, scope: &Scope, window: &Window) -> QueryResult<Latency> {
    let members = members(conn, scope, window)?;
    let exact = window.bind(scope.bind(Sql::new(include_str!("latency/exact.sql"))));
    charts(
        conn,
        Table::Transactions,
        &members,
        window,
        |conn, total| {
            transaction_percentiles::read(
                conn,
                percentile::ranked(total.count, total.n),
                &members,
                &exact,
                (&window.series_slices(), Some(window.interval)),
            )
        },
    )
}

/// The charts of members that have one key, empty, with percentiles by chart bucket.
pub(super) fn charts(
    conn: &mut SqliteConnection,
    table: Table,
    members: &Members,
    window: &Window,
    percentiles: impl FnOnce(&mut SqliteConnection, &totals::Total) -> QueryResult<ByKey>,
) -> QueryResult<Latency> {
    let sums = totals::of_buckets(conn, table, members, window)?;
    let sums = sums.into_iter().next().flatten();
    let sums = sums.unwrap_or_else(|| vec![totals::Total::default(); window.buckets().len()]);
    let percentiles = percentiles(conn, &added(&sums))?;
    Ok(of_sums(window, &sums, percentiles.get("")))
}

fn added(sums: &[totals::Total]) -> totals::Total {
    let mut total = totals::Total::default();
    for sum in sums {
        total.add(sum);
    }
    total
}

/// The charts of the sums of each of the window's buckets, and of percentiles by their starts.
pub(super) fn of_sums(
    window: &Window,
    sums: &[totals::Total],
    percentiles: Option<&HashMap<i64, Percentiles>>,
) -> Latency {
    let axis = Axis::from(window);
    let total = added(sums);
    let of_bucket = |(bucket, sum): (&Bucket, &totals::Total)| {
        let found = percentiles.and_then(|of| of.get(&bucket.start))?;
        Some(found.within(sum.mean(), sum.max))
    };
    let series = Series::from_sums(sums, &axis.buckets);
    Latency {
        count: sums.iter().map(|sum| sum.count).collect(),
        avg: series.latency,
        percentiles: axis.buckets.iter().zip(sums).map(of_bucket).collect(),
        throughput: series.throughput,
        failed_rate: series.failed_rate,
        total: Total {
            count: total.count,
            avg: total.mean(),
            max: total.max,
            throughput: total.count / window.minutes,
            failed_rate: total.failed_rate(),
        },
        axis,
    }
}
