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
use diesel::sql_types::{BigInt, Double, Text};
use schemars::JsonSchema;
use serde::Serialize;

use super::Scope;
use super::instances::Servers;
use super::series::Axis;
use super::sql::Sql;
use super::window::Window;
use listed::Listed;

pub use super::gauge_names::{PROCESS_CPU, PROCESS_MEMORY, SYSTEM_CPU};

/// Names that are listed together.
const MOST_NAMES: usize = 500;

/// Gauges of the same shares, of Elastic's agents and of OpenTelemetry's conventions: the first that has values counts.
/// OpenTelemetry's `process.cpu.utilization` has a value for each mode, so no single one of its gauges is the share.
const SYSTEM_CPUS: [&str; 3] = [
    SYSTEM_CPU,
    "jvm.system.cpu.utilization",
    "process.runtime.jvm.system.cpu.utilization",
];
const PROCESS_CPUS: [&str; 3] = [
    PROCESS_CPU,
    "jvm.cpu.recent_utilization",
    "process.runtime.jvm.cpu.utilization",
];

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
pub(super) fn memory_sql(scope: &Scope, window: &Window, servers: Servers) -> Sql {
    match servers {
        Servers::This => window.bind(scope.bind(Sql::new(include_str!("metrics/memory.sql")))),
        Servers::All => super::instances::memory_sql(scope, window),
    }
}

/// The query behind lines of instances of all servers.
#[cfg(test)]
pub(super) fn instances_of_all_sql(scope: &Scope, window: &Window) -> Sql {
    instances::counted_sql(scope, PROCESS_CPU, window)
}

/// The metrics page of a service. `after`: the names begin after this one. `servers`: those whose memory in use it has.
///
/// # Errors
/// Those of SQLite.
pub fn page(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
    (after, servers): (&str, Servers),
) -> QueryResult<Metrics> {
    let axis = Axis::from(window);
    let mut names = listed::after(conn, scope, window, (after, MOST_NAMES + 1))?;
    let more = names.len() > MOST_NAMES;
    names.truncate(MOST_NAMES);
    Ok(Metrics {
        system_cpu: first(conn, scope, window, (&SYSTEM_CPUS, &axis))?,
        process_cpu: first(conn, scope, window, (&PROCESS_CPUS, &axis))?,
        memory: gauge(conn, "memory", &memory_sql(scope, window, servers), &axis)?,
        next: names.last().filter(|_| more).map(|last| last.name.clone()),
        names,
        axis,
    })
}

/// The agent of a service as it names itself; empty where none is known.
///
/// # Errors
/// Those of SQLite.
pub fn agent(conn: &mut SqliteConnection, scope: &Scope) -> QueryResult<String> {
    #[derive(QueryableByName)]
    struct Named {
        #[diesel(sql_type = Text)]
        agent_name: String,
    }
    let found: Vec<Named> = scope
        .bind(Sql::new(include_str!("metrics/agent.sql")))
        .load(conn)?;
    Ok(found
        .into_iter()
        .next()
        .map_or_else(String::new, |row| row.agent_name))
}

/// The first of some gauges that has values, else the first of them without any.
fn first(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
    (names, axis): (&[&str; 3], &Axis),
) -> QueryResult<Gauge> {
    let [wanted, others @ ..] = names;
    let found = gauge(conn, wanted, &sql(scope, wanted, window), axis)?;
    if found.samples > 0 {
        return Ok(found);
    }
    let there = listed::there(conn, scope, window, others)?;
    match others.iter().find(|name| there.contains(**name)) {
        Some(name) => gauge(conn, name, &sql(scope, name, window), axis),
        None => Ok(found),
    }
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
