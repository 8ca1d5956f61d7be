//! The transaction groups of a service: one row per (type, name).

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Text};
use serde::Serialize;

use super::histograms;
use super::percentile::{self, Percentiles};
use super::series::{self, Axis, Series};
use super::sql::Sql;
use super::window::Window;
use super::{Scope, failed_rate, mean};

/// All transactions of one type and name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Transaction {
    /// `transaction.type`
    #[serde(rename = "type")]
    pub kind: String,
    /// `transaction.name`
    pub name: String,
    /// How many in the window.
    pub count: f64,
    /// Mean duration, µs.
    pub latency_avg: Option<f64>,
    /// Percentiles of the duration, µs.
    pub latency: Option<Percentiles>,
    /// Longest duration, µs.
    pub latency_max: i64,
    /// Per minute.
    pub throughput: f64,
    /// Failed / judged, 0 to 1.
    pub failed_rate: Option<f64>,
    /// Its time / the time of all groups listed, 0 to 1 (reference/ui.md 4.5).
    pub impact: f64,
    /// The sparklines.
    pub series: Series,
}

/// The groups of a window, greatest impact first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Transactions {
    /// The groups.
    pub transactions: Vec<Transaction>,
    /// The buckets of the sparklines.
    pub axis: Axis,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text, column_name = "type")]
    kind: String,
    #[diesel(sql_type = Text)]
    name: String,
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

/// The query behind the table.
#[must_use]
pub fn sql(scope: &Scope, window: &Window) -> Sql {
    window.bind(scope.bind(Sql::new(include_str!("transactions.sql"))))
}

/// The transaction groups with at least one transaction in the window.
///
/// # Errors
/// Those of SQLite.
pub fn list(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
) -> QueryResult<Transactions> {
    let bind = |text| window.bind(scope.bind(Sql::new(text)));
    let rows: Vec<Row> = sql(scope, window).load(conn)?;
    let (count, n, total) = rows.iter().fold((0.0, 0, 0.0), |(count, n, sum), row| {
        (count + row.count, n + row.n, sum + row.sum)
    });
    let members = histograms::members(conn, &bind(include_str!("transactions/members.sql")))?;
    let percentiles = percentile::of_transactions(
        conn,
        percentile::ranked(count, n),
        &members,
        &bind(include_str!("transactions/exact.sql")),
        (&window.slices(), None),
    )?;
    let axis = Axis::from(window);
    let points = bind(include_str!("transactions/series.sql")).load(conn)?;
    let mut sparklines = series::lay_out(points, &members, &axis.buckets);
    let transactions = rows
        .into_iter()
        .map(|row| {
            let key = format!("{}\t{}", row.kind, row.name);
            Transaction {
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
                kind: row.kind,
                name: row.name,
                count: row.count,
                latency_max: row.max,
            }
        })
        .collect();
    Ok(Transactions { transactions, axis })
}

/// The transaction types of a service in the window, most transactions first.
///
/// # Errors
/// Those of SQLite.
pub fn types(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
) -> QueryResult<Vec<String>> {
    let mut counts: Vec<(String, f64)> = Vec::new();
    let all = Scope {
        transaction_type: None,
        transaction_name: None,
        ..scope.clone()
    };
    let rows: Vec<Row> = sql(&all, window).load(conn)?;
    for row in rows {
        match counts.iter_mut().find(|(kind, _)| *kind == row.kind) {
            Some((_, count)) => *count += row.count,
            None => counts.push((row.kind, row.count)),
        }
    }
    counts.sort_by(|a, b| b.1.total_cmp(&a.1));
    Ok(counts.into_iter().map(|(kind, _)| kind).collect())
}
