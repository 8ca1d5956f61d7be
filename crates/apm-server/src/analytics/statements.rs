//! What services ask their databases: one row per (service, database, fingerprint).
//!
//! Calls and time count the parts of a composite span. Percentiles come from histograms, within 1 %.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Text};
use serde::Serialize;

use super::dependencies::Dependency;
use super::histograms::{self, Table};
use super::percentile::Percentiles;
use super::series::{self, Axis, Series};
use super::sql::Sql;
use super::window::Window;
use super::{Scope, failed_rate, mean};

/// One statement of one service on one database.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Statement {
    /// `service.name`
    pub service: String,
    /// `span.db.instance`, may be empty.
    pub instance: String,
    /// `span.subtype`, such as `sqlite`.
    pub subtype: String,
    /// 16 hex digits.
    pub fingerprint: String,
    /// With `?` for its literals.
    pub normalized: String,
    /// The shortest text seen, literals and all.
    pub sample: String,
    /// `SELECT`, `INSERT`, …; may be empty.
    pub verb: String,
    /// The first table that it names, may be empty.
    pub table: String,
    /// When it first arrived, seconds since the epoch.
    pub first_seen: i64,
    /// When it last arrived, seconds since the epoch, exact to an hour.
    pub last_seen: i64,
    /// Calls in the window.
    pub calls: f64,
    /// Calls per minute.
    pub throughput: f64,
    /// Time of all calls, µs.
    pub total: f64,
    /// Its time / the time of all statements listed, 0 to 1.
    pub share: f64,
    /// Mean, µs.
    pub latency_avg: Option<f64>,
    /// Percentiles, µs.
    pub latency: Option<Percentiles>,
    /// Longest, µs.
    pub latency_max: i64,
    /// Failed / judged, 0 to 1.
    pub failed_rate: Option<f64>,
    /// The sparklines.
    pub series: Series,
}

/// The statements of a window, most time first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Statements {
    /// The statements.
    pub statements: Vec<Statement>,
    /// The buckets of the sparklines.
    pub axis: Axis,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    service: String,
    #[diesel(sql_type = Text)]
    instance: String,
    #[diesel(sql_type = Text)]
    subtype: String,
    #[diesel(sql_type = BigInt)]
    fingerprint: i64,
    #[diesel(sql_type = Text)]
    normalized: String,
    #[diesel(sql_type = Text)]
    sample: String,
    #[diesel(sql_type = Text)]
    verb: String,
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = BigInt)]
    first_seen: i64,
    #[diesel(sql_type = BigInt)]
    last_seen: i64,
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

/// The query behind the table. `fingerprint`: one statement only.
#[must_use]
pub fn sql(scope: &Scope, fingerprint: Option<u64>, window: &Window) -> Sql {
    bound(include_str!("statements.sql"), scope, fingerprint, window)
}

/// The query behind the sparklines. `fingerprint`: one statement only.
#[must_use]
pub fn series_sql(scope: &Scope, fingerprint: Option<u64>, window: &Window) -> Sql {
    bound(
        include_str!("statements/series.sql"),
        scope,
        fingerprint,
        window,
    )
}

fn bound(text: &'static str, scope: &Scope, fingerprint: Option<u64>, window: &Window) -> Sql {
    window
        .bind(scope.bind(Sql::new(text)))
        .bind("fingerprint", fingerprint.map(u64::cast_signed))
}

/// The statements called in the window.
///
/// # Errors
/// Those of SQLite.
pub fn list(
    conn: &mut SqliteConnection,
    scope: &Scope,
    fingerprint: Option<u64>,
    window: &Window,
) -> QueryResult<Statements> {
    let rows: Vec<Row> = sql(scope, fingerprint, window).load(conn)?;
    let members = bound(
        include_str!("statements/members.sql"),
        scope,
        fingerprint,
        window,
    );
    let members = histograms::members(conn, &members)?;
    let slices = window.slices();
    let percentiles = histograms::percentiles(conn, Table::Statements, &members, &slices, None)?;
    let axis = Axis::from(window);
    let points = series_sql(scope, fingerprint, window).load(conn)?;
    let mut sparklines = series::lay_out(points, &members, &axis.buckets);
    let total: f64 = rows.iter().map(|row| row.sum).sum();
    let statements = rows
        .into_iter()
        .map(|row| {
            let key = format!(
                "{}\t{}\t{}\t{}",
                row.service, row.instance, row.subtype, row.fingerprint
            );
            Statement {
                throughput: row.count / window.minutes,
                share: mean(row.sum, total).unwrap_or(0.0),
                latency_avg: mean(row.sum, row.count),
                failed_rate: failed_rate(row.failures, row.successes),
                series: sparklines
                    .remove(key.as_str())
                    .unwrap_or_else(|| Series::empty(axis.buckets.len())),
                latency: percentiles
                    .get(key.as_str())
                    .and_then(|of| of.get(&0))
                    .copied(),
                fingerprint: format!("{:016x}", row.fingerprint),
                service: row.service,
                instance: row.instance,
                subtype: row.subtype,
                normalized: row.normalized,
                sample: row.sample,
                verb: row.verb,
                table: row.table_name,
                first_seen: row.first_seen,
                last_seen: row.last_seen,
                calls: row.count,
                total: row.sum,
                latency_max: row.max,
            }
        })
        .collect();
    Ok(Statements { statements, axis })
}

/// The statements that some callers run on databases of one kind: the operations of a dependency.
///
/// # Errors
/// Those of SQLite.
pub fn of_dependency(
    conn: &mut SqliteConnection,
    scope: &Scope,
    callers: &[Dependency],
    window: &Window,
) -> QueryResult<Vec<Statement>> {
    let mut found = list(conn, scope, None, window)?.statements;
    found.retain(|statement| {
        callers.iter().any(|caller| {
            caller.kind == "db"
                && caller.service == statement.service
                && caller.subtype == statement.subtype
        })
    });
    Ok(found)
}
