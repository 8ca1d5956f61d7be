//! Gauges over time: CPU, memory, and any other metric by its name.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Text};
use schemars::JsonSchema;
use serde::Serialize;

use super::Scope;
use super::series::Axis;
use super::sql::Sql;
use super::window::Window;

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
    /// Metrics with a sample in the window, in order, at most 500.
    pub names: Vec<String>,
    /// The last of these names where there are more: `names_after` of the next ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One metric on its own.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
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
    let (names, more) = names(conn, scope, window, after)?;
    Ok(Metrics {
        system_cpu: gauge(conn, SYSTEM_CPU, &sql(scope, SYSTEM_CPU, window), &axis)?,
        process_cpu: gauge(conn, PROCESS_CPU, &sql(scope, PROCESS_CPU, window), &axis)?,
        memory: gauge(conn, "memory", &memory_sql(scope, window), &axis)?,
        next: names.last().filter(|_| more).cloned(),
        names,
        axis,
    })
}

/// One metric by its name.
///
/// # Errors
/// Those of SQLite.
pub fn by_name(
    conn: &mut SqliteConnection,
    scope: &Scope,
    metric: &str,
    window: &Window,
) -> QueryResult<Metric> {
    let axis = Axis::from(window);
    let gauge = gauge(conn, metric, &sql(scope, metric, window), &axis)?;
    Ok(Metric { axis, gauge })
}

/// Names of metrics with a sample in the window, in order, those after `after`; and whether there are more.
fn names(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
    after: &str,
) -> QueryResult<(Vec<String>, bool)> {
    #[derive(QueryableByName)]
    struct Id {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    #[derive(QueryableByName)]
    struct Name {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let services = window.bind(scope.bind(Sql::new(include_str!("metrics/services.sql"))));
    let services: Vec<Id> = services.load(conn)?;
    let most = i64::try_from(MOST_NAMES + 1).unwrap_or(i64::MAX);
    let mut names = BTreeSet::new();
    for Id { id } in services {
        // Each is read in order, by an index, and only as far as it can be among the first.
        for owner in [id, 0] {
            let sql = window
                .bind(Sql::new(include_str!("metrics/names.sql")))
                .bind("owner", owner)
                .bind("id", id)
                .bind("after", after)
                .bind("most", most);
            let found: Vec<Name> = sql.load(conn)?;
            names.extend(found.into_iter().map(|row| row.name));
            while names.len() > MOST_NAMES + 1 {
                names.pop_last();
            }
        }
    }
    let more = names.len() > MOST_NAMES;
    Ok((names.into_iter().take(MOST_NAMES).collect(), more))
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
