//! The numbers of very many services, without percentiles and sparklines: each service takes some bytes, and all are
//! read at once.

use std::collections::HashMap;

use diesel::prelude::*;

use super::{Row, in_statements, is_counted};
use crate::analytics::cache::Table;
use crate::analytics::members::Members;
use crate::analytics::sql::Sql;
use crate::analytics::totals::{self, Total};
use crate::analytics::window::Window;
use crate::analytics::{Scope, mean};
use crate::sort_rows::SortRows as _;

/// Services that are read.
const MOST: usize = 20_000;

/// A service, as [`super::Service`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Brief {
    pub(crate) name: String,
    pub(crate) agent: String,
    pub(crate) transactions: f64,
    pub(crate) latency_avg: Option<f64>,
    pub(crate) throughput: f64,
    pub(crate) failed_rate: Option<f64>,
    pub(crate) db_share: Option<f64>,
}

/// All services with a transaction, an error or a metric in the window, most transactions first.
///
/// # Errors
/// Those of SQLite.
pub(crate) fn all(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
) -> QueryResult<Vec<Brief>> {
    let bind = |text| window.bind(scope.bind(Sql::new(text)));
    let members = Members::of_scope(conn, scope, &bind(include_str!("members.sql")))?;
    let sums = totals::of_window(conn, Table::Transactions, &members, &window.slices())?;
    let totals: HashMap<&str, Total> = (members.keys().iter().zip(&sums))
        .filter(|(_, sum)| sum.total.count > 0.0)
        .map(|(name, sum)| (&**name, sum.total))
        .collect();
    let asked = in_statements(conn, scope, window)?;
    let is_counted = is_counted(scope);
    let known: Vec<Row> = bind(include_str!("known.sql")).load(conn)?;
    let mut services: Vec<Brief> = known
        .into_iter()
        .filter(|row| row.heard || totals.contains_key(row.name.as_str()))
        .map(|row| {
            let total = totals.get(row.name.as_str()).copied().unwrap_or_default();
            let asked = asked.get(row.name.as_str()).copied().unwrap_or_default();
            let db_share = mean(asked, total.sum).filter(|_| is_counted);
            Brief {
                name: row.name,
                agent: row.agent_name,
                transactions: total.count,
                latency_avg: total.mean(),
                throughput: total.count / window.minutes,
                failed_rate: total.failed_rate(),
                db_share: db_share.map(|share| share.min(1.0)),
            }
        })
        .collect();
    services.sort_rows_by(|a, b| {
        (b.transactions.total_cmp(&a.transactions)).then_with(|| a.name.cmp(&b.name))
    });
    services.truncate(MOST);
    Ok(services)
}
