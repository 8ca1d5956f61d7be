//! Metrics over time: CPU and memory, panels of runtimes, and any metric by its name.

pub mod chart;
mod instances;
pub mod labels;
pub mod lines;
pub mod listed;
pub mod panels;
pub mod quantiles;
pub mod spread;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double};
use schemars::JsonSchema;
use serde::Serialize;

use super::Scope;
use super::series::Axis;
use super::sql::Sql;
use super::window::Window;
use listed::Listed;

/// Names that are listed together.
const MOST_NAMES: usize = 500;

/// Share of all processors that the machine used, 0 to 1.
pub const SYSTEM_CPU: &str = "system.cpu.total.norm.pct";
/// Share of all processors that the process used, 0 to 1.
pub const PROCESS_CPU: &str = "system.process.cpu.total.norm.pct";

/// One metric; a value for each of the axis's buckets, nothing where no sample fell into it.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
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
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Metrics {
    /// The buckets.
    pub axis: Axis,
    /// The use of the machine's processors.
    pub system_cpu: Gauge,
    /// The use of processors by the process.
    pub process_cpu: Gauge,
    /// Memory in use, 0 to 1.
    pub memory: Gauge,
    /// Metrics with a value in the window, in order, at most 500.
    pub names: Vec<Listed>,
    /// The last of these names where there are more: `names_after` of the next ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
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
pub(super) fn sql(scope: &Scope, metric: &str, window: &Window) -> Sql {
    window.bind(
        scope
            .bind(Sql::new(include_str!("metrics/one.sql")))
            .bind("metric", metric),
    )
}

/// The query behind the memory chart.
pub(super) fn memory_sql(scope: &Scope, window: &Window) -> Sql {
    window.bind(scope.bind(Sql::new(include_str!("metrics/memory.sql"))))
}

/// The metrics page of a service. `after`: the names begin after this one.
///
/// # Errors
/// Those of SQLite.
pub fn page(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
    after: &str,
) -> QueryResult<Metrics> {
    let axis = Axis::from(window);
    let mut names = listed::after(conn, scope, window, (after, MOST_NAMES + 1))?;
    let more = names.len() > MOST_NAMES;
    names.truncate(MOST_NAMES);
    Ok(Metrics {
        system_cpu: gauge(conn, SYSTEM_CPU, &sql(scope, SYSTEM_CPU, window), &axis)?,
        process_cpu: gauge(conn, PROCESS_CPU, &sql(scope, PROCESS_CPU, window), &axis)?,
        memory: gauge(conn, "memory", &memory_sql(scope, window), &axis)?,
        next: names.last().filter(|_| more).map(|last| last.name.clone()),
        names,
        axis,
    })
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
