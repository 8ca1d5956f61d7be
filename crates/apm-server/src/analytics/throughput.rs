//! How many transactions ended how, over time. By `transaction.result`: some agents send no status for
//! an unhandled exception.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Text};
use serde::Serialize;

use super::Scope;
use super::series::{Axis, per_minute};
use super::sql::Sql;
use super::window::Window;

/// Transactions with one result.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ByResult {
    /// `transaction.result`, such as `HTTP 2xx`; may be empty.
    pub result: String,
    /// In the window.
    pub count: f64,
    /// Mean over the buckets, per minute: the legend's value (reference/ui.md 4.2).
    pub mean: f64,
    /// Per minute, a value for each of the axis's buckets.
    pub throughput: Vec<f64>,
}

/// The chart, results in order of their names.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Throughput {
    /// The buckets.
    pub axis: Axis,
    /// The series.
    pub results: Vec<ByResult>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    result: String,
    #[diesel(sql_type = BigInt)]
    bucket: i64,
    #[diesel(sql_type = Double)]
    count: f64,
}

/// The query behind the chart.
#[must_use]
pub fn sql(scope: &Scope, window: &Window) -> Sql {
    window.bind(scope.bind(Sql::new(include_str!("throughput.sql"))))
}

/// The chart of whatever the scope holds.
///
/// # Errors
/// Those of SQLite.
pub fn chart(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
) -> QueryResult<Throughput> {
    let axis = Axis::from(window);
    let rows: Vec<Row> = sql(scope, window).load(conn)?;
    let mut results: Vec<ByResult> = Vec::new();
    for row in rows {
        if results.last().is_none_or(|last| last.result != row.result) {
            results.push(ByResult {
                result: row.result.clone(),
                count: 0.0,
                mean: 0.0,
                throughput: vec![0.0; axis.buckets.len()],
            });
        }
        let place = axis
            .buckets
            .iter()
            .position(|bucket| bucket.start == row.bucket);
        if let (Some(series), Some(place)) = (results.last_mut(), place) {
            series.count += row.count;
            series.throughput[place] += per_minute(row.count, &axis.buckets[place]);
        }
    }
    for series in &mut results {
        series.mean = series.count / window.minutes;
    }
    Ok(Throughput { axis, results })
}
