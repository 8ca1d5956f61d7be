//! How long transactions take, over time: mean, percentiles, and the share that failed.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double};
use serde::Serialize;

use super::histograms;
use super::percentile::{self, Percentiles};
use super::series::{Axis, per_minute};
use super::sql::Sql;
use super::window::Window;
use super::{Scope, failed_rate, mean};

/// The charts of a service or a transaction group; a value for each of the axis's buckets.
#[derive(Debug, Clone, PartialEq, Serialize)]
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
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

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    bucket: i64,
    #[diesel(sql_type = Double)]
    count: f64,
    #[diesel(sql_type = BigInt)]
    n: i64,
    #[diesel(sql_type = Double)]
    sum: f64,
    #[diesel(sql_type = BigInt)]
    max: i64,
    #[diesel(sql_type = Double)]
    failures: f64,
    #[diesel(sql_type = Double)]
    successes: f64,
}

/// The query behind mean, throughput and failures.
#[must_use]
pub fn sql(scope: &Scope, window: &Window) -> Sql {
    window.bind(scope.bind(Sql::new(include_str!("latency.sql"))))
}

/// How many transactions there were, weighted and as rows.
pub(super) fn counts(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
) -> QueryResult<(f64, i64)> {
    let rows: Vec<Row> = sql(scope, window).load(conn)?;
    Ok(rows
        .iter()
        .fold((0.0, 0), |(count, n), row| (count + row.count, n + row.n)))
}

/// The charts of whatever the scope holds.
///
/// # Errors
/// Those of SQLite.
pub fn chart(conn: &mut SqliteConnection, scope: &Scope, window: &Window) -> QueryResult<Latency> {
    let bind = |text| window.bind(scope.bind(Sql::new(text)));
    let rows: Vec<Row> = sql(scope, window).load(conn)?;
    let (mut count, mut n, mut sum, mut failures, mut successes) = (0.0, 0, 0.0, 0.0, 0.0);
    for row in &rows {
        count += row.count;
        n += row.n;
        sum += row.sum;
        failures += row.failures;
        successes += row.successes;
    }
    // One key for all: the chart shows what the scope holds together.
    let members = histograms::members(conn, &bind(include_str!("latency/members.sql")))?;
    let percentiles = percentile::of_transactions(
        conn,
        percentile::ranked(count, n),
        &members,
        &bind(include_str!("latency/exact.sql")),
        (&window.series_slices(), Some(window.interval)),
    )?;
    let percentiles = percentiles.get("");
    let axis = Axis::from(window);
    let length = axis.buckets.len();
    let mut out = Latency {
        count: vec![0.0; length],
        avg: vec![None; length],
        percentiles: vec![None; length],
        throughput: vec![0.0; length],
        failed_rate: vec![None; length],
        total: Total {
            count,
            avg: mean(sum, count),
            max: rows.iter().map(|row| row.max).max().unwrap_or(0),
            throughput: count / window.minutes,
            failed_rate: failed_rate(failures, successes),
        },
        axis,
    };
    for (place, bucket) in out.axis.buckets.iter().enumerate() {
        // Rows and buckets are both in order of time; there are at most some hundred of either.
        let Some(row) = rows.iter().find(|row| row.bucket == bucket.start) else {
            continue;
        };
        out.count[place] = row.count;
        out.avg[place] = mean(row.sum, row.count);
        out.percentiles[place] = percentiles.and_then(|of| of.get(&bucket.start)).copied();
        out.throughput[place] = per_minute(row.count, bucket);
        out.failed_rate[place] = failed_rate(row.failures, row.successes);
    }
    Ok(out)
}
