//! Instances by the counts of all servers before one engine.

use std::collections::HashMap;

use apm_store::document;
use apm_time::SECOND;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Nullable, Text};

use super::super::Scope;
use super::super::sql::Sql;
use super::super::window::Window;
use super::{Part, Parts, Sums};

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    environment: String,
    #[diesel(sql_type = Text)]
    node: String,
    #[diesel(sql_type = Text)]
    version: String,
    #[diesel(sql_type = Text)]
    host: String,
    #[diesel(sql_type = Text)]
    pod: String,
    #[diesel(sql_type = Text)]
    runtime: String,
    #[diesel(sql_type = BigInt)]
    newest: i64,
    #[diesel(sql_type = Double)]
    count: f64,
    #[diesel(sql_type = Double)]
    failed: f64,
    #[diesel(sql_type = Double)]
    succeeded: f64,
    #[diesel(sql_type = Double)]
    sum: f64,
    #[diesel(sql_type = Nullable<BigInt>)]
    longest: Option<i64>,
    #[diesel(sql_type = Double)]
    cpu_n: f64,
    #[diesel(sql_type = Double)]
    cpu_sum: f64,
    #[diesel(sql_type = Double)]
    machine_n: f64,
    #[diesel(sql_type = Double)]
    machine_sum: f64,
    #[diesel(sql_type = Double)]
    memory_n: f64,
    #[diesel(sql_type = Double)]
    memory_sum: f64,
}

#[derive(QueryableByName)]
struct Bar {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    bin: i64,
    #[diesel(sql_type = Double)]
    count: f64,
}

#[derive(QueryableByName)]
struct Since {
    #[diesel(sql_type = Nullable<BigInt>)]
    since: Option<i64>,
}

/// The query behind the sums of instances.
pub(in crate::analytics) fn sums_sql(scope: &Scope, window: &Window) -> Sql {
    window.bind(scope.bind(Sql::new(include_str!("sums.sql"))))
}

/// The query behind their histograms.
pub(in crate::analytics) fn bins_sql(scope: &Scope, window: &Window) -> Sql {
    window.bind(scope.bind(Sql::new(include_str!("bins.sql"))))
}

/// The query behind the chart of memory in use.
pub(in crate::analytics) fn memory_sql(scope: &Scope, window: &Window) -> Sql {
    window.bind(scope.bind(Sql::new(include_str!("memory.sql"))))
}

/// The instances of a service by their descriptions.
pub(super) fn parts(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
) -> QueryResult<Parts> {
    let rows: Vec<Row> = sums_sql(scope, window).load(conn)?;
    let mut bins: HashMap<i64, HashMap<i64, f64>> = HashMap::new();
    let bars: Vec<Bar> = bins_sql(scope, window).load(conn)?;
    for bar in bars {
        bins.entry(bar.id).or_default().insert(bar.bin, bar.count);
    }
    let parts = rows.into_iter().map(|row| Part {
        newest: row.newest,
        environment: row.environment,
        of: document::Instance {
            node: row.node,
            version: row.version,
            host: row.host,
            pod: row.pod,
            runtime: row.runtime,
        },
        processes: None,
        sums: Sums {
            count: row.count,
            sum: row.sum,
            longest: row.longest,
            failed: row.failed,
            succeeded: row.succeeded,
            bins: bins.remove(&row.id).unwrap_or_default(),
            cpu: (row.cpu_sum, row.cpu_n),
            machine: (row.machine_sum, row.machine_n),
            memory: (row.memory_sum, row.memory_n),
        },
    });
    let parts = parts.collect();
    Ok(Parts {
        parts,
        complete: true,
        minutes: window.minutes,
        counted_since: since(conn)?.filter(|since| *since > window.range.from / SECOND),
    })
}

/// The start of the first hour of which instances are counted.
fn since(conn: &mut SqliteConnection) -> QueryResult<Option<i64>> {
    let found: Since = Sql::new(include_str!("since.sql")).first(conn)?;
    Ok(found.since)
}
