//! Gauges over time: CPU, memory, and any other metric by its name (reference/ui.md 4.11).

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Text};
use serde::Serialize;

use super::Scope;
use super::series::Axis;
use super::sql::Sql;
use super::window::Window;

/// Share of all processors that the machine used, 0 to 1.
pub const SYSTEM_CPU: &str = "system.cpu.total.norm.pct";
/// Share of all processors that the process used, 0 to 1.
pub const PROCESS_CPU: &str = "system.process.cpu.total.norm.pct";

/// One metric; a value for each of the axis's buckets, nothing where no sample fell into it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gauge {
    /// Its name, or `memory` for the share in use.
    pub name: String,
    /// Mean.
    pub avg: Vec<Option<f64>>,
    /// Least.
    pub min: Vec<Option<f64>>,
    /// Greatest.
    pub max: Vec<Option<f64>>,
    /// Samples in the window.
    pub samples: i64,
}

/// The metrics page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metrics {
    /// The buckets.
    pub axis: Axis,
    /// What the machine's processors did.
    pub system_cpu: Gauge,
    /// What the process did.
    pub process_cpu: Gauge,
    /// Memory in use, 0 to 1.
    pub memory: Gauge,
    /// Every metric with a sample in the window.
    pub names: Vec<String>,
}

/// One metric on its own.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metric {
    /// The buckets.
    pub axis: Axis,
    /// Its values.
    pub gauge: Gauge,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    bucket: i64,
    #[diesel(sql_type = Double)]
    avg: f64,
    #[diesel(sql_type = Double)]
    min: f64,
    #[diesel(sql_type = Double)]
    max: f64,
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// The query behind one metric.
#[must_use]
pub fn sql(scope: &Scope, metric: &str, window: &Window) -> Sql {
    window.bind(
        scope
            .bind(Sql::new(include_str!("metrics/one.sql")))
            .bind("metric", metric),
    )
}

/// The query behind the memory chart.
#[must_use]
pub fn memory_sql(scope: &Scope, window: &Window) -> Sql {
    window.bind(scope.bind(Sql::new(include_str!("metrics/memory.sql"))))
}

/// The metrics page of a service.
///
/// # Errors
/// Those of SQLite.
pub fn page(conn: &mut SqliteConnection, scope: &Scope, window: &Window) -> QueryResult<Metrics> {
    let axis = Axis::from(window);
    Ok(Metrics {
        system_cpu: gauge(conn, SYSTEM_CPU, &sql(scope, SYSTEM_CPU, window), &axis)?,
        process_cpu: gauge(conn, PROCESS_CPU, &sql(scope, PROCESS_CPU, window), &axis)?,
        memory: gauge(conn, "memory", &memory_sql(scope, window), &axis)?,
        names: names(conn, scope, window)?,
        axis,
    })
}

/// One metric by its name.
///
/// # Errors
/// Those of SQLite.
pub fn one(
    conn: &mut SqliteConnection,
    scope: &Scope,
    metric: &str,
    window: &Window,
) -> QueryResult<Metric> {
    let axis = Axis::from(window);
    let gauge = gauge(conn, metric, &sql(scope, metric, window), &axis)?;
    Ok(Metric { axis, gauge })
}

/// The names of the metrics with a sample in the window, in order.
///
/// # Errors
/// Those of SQLite.
pub fn names(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
) -> QueryResult<Vec<String>> {
    #[derive(QueryableByName)]
    struct Name {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let sql = window.bind(scope.bind(Sql::new(include_str!("metrics/names.sql"))));
    let names: Vec<Name> = sql.load(conn)?;
    Ok(names.into_iter().map(|row| row.name).collect())
}

fn gauge(conn: &mut SqliteConnection, name: &str, sql: &Sql, axis: &Axis) -> QueryResult<Gauge> {
    let rows: Vec<Row> = sql.load(conn)?;
    let value = |pick: fn(&Row) -> f64| {
        let at = |start| rows.iter().find(|row| row.bucket == start).map(pick);
        axis.buckets.iter().map(|bucket| at(bucket.start)).collect()
    };
    Ok(Gauge {
        name: name.to_owned(),
        avg: value(|row| row.avg),
        min: value(|row| row.min),
        max: value(|row| row.max),
        samples: rows.iter().map(|row| row.n).sum(),
    })
}
