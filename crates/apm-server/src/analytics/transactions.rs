//! The transaction groups of a service: one row per (type, name).

use diesel::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;

use super::cache::Table;
use super::list::Pick;
use super::members::Members;
use super::percentile::Percentiles;
use super::series::{Axis, Series};
use super::sql::Sql;
use super::totals;
use super::window::Window;
use super::{Scope, list, mean, total};
use crate::sort_rows::SortRows as _;

/// All transactions of one type and name.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Transaction {
    /// `transaction.type`
    #[serde(rename = "type")]
    pub kind: String,
    /// `transaction.name`
    pub name: String,
    /// Number in the window.
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
    /// Its time / the time of all groups, 0 to 1.
    pub impact: f64,
    /// The sparklines.
    pub series: Series,
    /// Its ids in the store: one for each environment.
    #[serde(skip)]
    pub ids: Vec<i64>,
}

impl Transaction {
    /// The key of its row.
    pub(crate) fn key(&self) -> String {
        format!("{}\t{}", self.kind, self.name)
    }
}

/// The groups of a window, greatest impact first.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Transactions {
    /// The groups, at most 1000.
    pub transactions: Vec<Transaction>,
    /// Number of other groups that are not listed.
    pub left_out: usize,
    /// Number of groups with more time, before these.
    pub first: usize,
    /// False if they are ranked by time, and another order is asked for.
    #[serde(skip)]
    pub is_ranked: bool,
    /// The buckets of the sparklines.
    pub axis: Axis,
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
    list_of(conn, scope, window, (&Pick::default(), None))
}

/// Those that are picked. Beyond all of them, the last thousand. `own`: what [`list::By::Own`] ranks by.
///
/// # Errors
/// Those of SQLite.
pub(crate) fn list_of(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
    (pick, own): (&Pick, Option<list::Own<'_>>),
) -> QueryResult<Transactions> {
    let bind = |text| window.bind(scope.bind(Sql::new(text)));
    let members = bind(include_str!("transactions/members.sql"));
    let exact = bind(include_str!("transactions/exact.sql"));
    let (found, percentiles) =
        list::of_transactions(conn, scope, (&members, &exact), window, (pick, own))?;
    let list::Lines {
        lines,
        all,
        left_out,
        first,
        is_ranked,
        ..
    } = found;
    let transactions = lines
        .into_iter()
        .map(|line| {
            let (kind, name) = line.key.split_once('\t').unwrap_or_default();
            Transaction {
                kind: kind.to_owned(),
                name: name.to_owned(),
                count: line.total.count,
                latency_avg: line.total.mean(),
                latency: line.latency(&percentiles),
                latency_max: line.total.max,
                throughput: line.total.count / window.minutes,
                failed_rate: line.total.failed_rate(),
                impact: mean(line.total.sum, all.sum).unwrap_or(0.0),
                series: line.series,
                ids: line.ids,
            }
        })
        .collect();
    let axis = Axis::from(window);
    Ok(Transactions {
        transactions,
        left_out: left_out.len(),
        first,
        is_ranked,
        axis,
    })
}

/// The time of the transactions of a scope / the time of all of its service, 0 to 1.
///
/// # Errors
/// Those of SQLite.
pub fn share(conn: &mut SqliteConnection, scope: &Scope, window: &Window) -> QueryResult<f64> {
    let mut time = |scope: &Scope| {
        let sql = Sql::new(include_str!("transactions/members.sql"));
        let members = Members::of_scope(conn, scope, &window.bind(scope.bind(sql)))?;
        let sums = totals::of_window(conn, Table::Transactions, &members, &window.slices())?;
        QueryResult::Ok(total(sums.iter().map(|sum| sum.total.sum)))
    };
    let all = Scope {
        transaction_type: None,
        transaction_name: None,
        ..scope.clone()
    };
    Ok(mean(time(scope)?, time(&all)?).unwrap_or(0.0))
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
    let all = Scope {
        transaction_type: None,
        transaction_name: None,
        ..scope.clone()
    };
    let sql = Sql::new(include_str!("transactions/types.sql"));
    let members = Members::of_scope(conn, &all, &window.bind(all.bind(sql)))?;
    let sums = totals::of_window(conn, Table::Transactions, &members, &window.slices())?;
    let mut counts: Vec<(&str, f64)> = members
        .keys()
        .iter()
        .zip(&sums)
        .map(|(kind, sum)| (&**kind, sum.total.count))
        .filter(|(_, count)| *count > 0.0)
        .collect();
    counts.sort_rows_by(|a, b| b.1.total_cmp(&a.1));
    Ok(counts
        .into_iter()
        .map(|(kind, _)| kind.to_owned())
        .collect())
}
