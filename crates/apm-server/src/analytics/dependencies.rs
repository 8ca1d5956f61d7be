//! What services call: databases, other services, queues; one of them with its callers.
//!
//! A dependency is called by its `span.destination.service.resource`, else its `service.target`, else the
//! subtype of its spans (reference/ui.md 2.8). Calls are spans; a composite span counts its parts.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Text};
use serde::Serialize;

use super::histograms::{self, Table};
use super::percentile::Percentiles;
use super::series::{self, Axis, Series};
use super::sql::Sql;
use super::window::Window;
use super::{Scope, failed_rate, mean};

/// One dependency, or one caller of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Dependency {
    /// What it is called.
    pub name: String,
    /// The caller; empty in a list over all callers.
    pub service: String,
    /// `span.type` of the calls, such as `db`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `span.subtype` of the calls, such as `sqlite`.
    pub subtype: String,
    /// Calls in the window.
    pub count: f64,
    /// Mean duration, µs.
    pub latency_avg: Option<f64>,
    /// Percentiles of the duration, µs, within 1 %.
    pub latency: Option<Percentiles>,
    /// Longest, µs.
    pub latency_max: i64,
    /// Calls per minute.
    pub throughput: f64,
    /// Failed / judged, 0 to 1.
    pub failed_rate: Option<f64>,
    /// Its time / the time of all rows listed, 0 to 1.
    pub impact: f64,
    /// The sparklines.
    pub series: Series,
}

/// The dependencies of a window, greatest impact first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Dependencies {
    /// The dependencies.
    pub dependencies: Vec<Dependency>,
    /// The buckets of the sparklines.
    pub axis: Axis,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    service: String,
    #[diesel(sql_type = Text, column_name = "type")]
    kind: String,
    #[diesel(sql_type = Text)]
    subtype: String,
    #[diesel(sql_type = Double)]
    count: f64,
    #[diesel(sql_type = Double)]
    sum: f64,
    #[diesel(sql_type = BigInt)]
    max: i64,
    #[diesel(sql_type = Double)]
    failures: f64,
    #[diesel(sql_type = Double)]
    successes: f64,
}

/// Which rows to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// One dependency only.
    pub dependency: Option<String>,
    /// A row for each caller.
    pub by_service: bool,
}

/// The query behind the table.
#[must_use]
pub fn sql(scope: &Scope, choice: &Choice, window: &Window) -> Sql {
    bound(include_str!("dependencies.sql"), scope, choice, window)
}

/// The query behind the charts.
#[must_use]
pub fn series_sql(scope: &Scope, choice: &Choice, window: &Window) -> Sql {
    bound(
        include_str!("dependencies/series.sql"),
        scope,
        choice,
        window,
    )
}

fn bound(text: &'static str, scope: &Scope, choice: &Choice, window: &Window) -> Sql {
    window
        .bind(scope.bind(Sql::new(text)))
        .bind("dependency", &choice.dependency)
        .bind("by_service", i64::from(choice.by_service))
}

/// The dependencies called in the window.
///
/// # Errors
/// Those of SQLite.
pub fn list(
    conn: &mut SqliteConnection,
    scope: &Scope,
    choice: &Choice,
    window: &Window,
) -> QueryResult<Dependencies> {
    let rows: Vec<Row> = sql(scope, choice, window).load(conn)?;
    let members = bound(
        include_str!("dependencies/members.sql"),
        scope,
        choice,
        window,
    );
    let members = histograms::members(conn, &members)?;
    let slices = window.slices();
    let percentiles = histograms::percentiles(conn, Table::Destinations, &members, &slices, None)?;
    let axis = Axis::from(window);
    let points = series_sql(scope, choice, window).load(conn)?;
    let mut sparklines = series::lay_out(points, &members, &axis.buckets);
    let total: f64 = rows.iter().map(|row| row.sum).sum();
    let dependencies = rows
        .into_iter()
        .map(|row| {
            let key = format!("{}\t{}", row.name, row.service);
            Dependency {
                latency_avg: mean(row.sum, row.count),
                throughput: row.count / window.minutes,
                failed_rate: failed_rate(row.failures, row.successes),
                impact: mean(row.sum, total).unwrap_or(0.0),
                series: sparklines
                    .remove(key.as_str())
                    .unwrap_or_else(|| Series::empty(axis.buckets.len())),
                latency: percentiles
                    .get(key.as_str())
                    .and_then(|of| of.get(&0))
                    .copied(),
                name: row.name,
                service: row.service,
                kind: row.kind,
                subtype: row.subtype,
                count: row.count,
                latency_max: row.max,
            }
        })
        .collect();
    Ok(Dependencies { dependencies, axis })
}
