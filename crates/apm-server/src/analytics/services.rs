//! Services and their numbers: the first page.

mod brief;

use std::collections::HashMap;
use std::sync::Arc;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use schemars::JsonSchema;
use serde::Serialize;

use super::cache::Table;
use super::filter::{self, List};
use super::list::{self, Line, Pick};
use super::members::Members;
use super::percentile::Percentiles;
use super::series::{Axis, Series};
use super::sql::Sql;
use super::totals::{self, Sum};
use super::window::Window;
use super::{Scope, mean};
use crate::sort_rows::SortRows as _;
pub(crate) use brief::{Brief, all};

/// One service, all of its environments together unless one is chosen.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Service {
    /// `service.name`
    pub name: String,
    /// `service.environment` of each; empty where it is not set.
    pub environments: Vec<String>,
    /// `agent.name`, such as `python`.
    pub agent: String,
    /// `agent.version`
    pub agent_version: String,
    /// `service.language.name`, may be empty.
    pub language: String,
    /// `service.version` seen last, may be empty.
    pub version: String,
    /// Transactions in the window.
    pub transactions: f64,
    /// Mean duration of a transaction, µs.
    pub latency_avg: Option<f64>,
    /// Percentiles of the duration, µs.
    pub latency: Option<Percentiles>,
    /// Transactions per minute.
    pub throughput: f64,
    /// Error events in the window; null where the query names fields that errors do not have.
    pub errors: Option<i64>,
    /// Error events per minute; null likewise.
    pub errors_per_minute: Option<f64>,
    /// Failed transactions / judged ones, 0 to 1.
    pub failed_rate: Option<f64>,
    /// Time in database statements / time in transactions, 0 to 1; parallel statements are cut at 1. Null where the
    /// query names fields that statements do not have.
    pub db_share: Option<f64>,
    /// The sparklines.
    pub series: Series,
}

/// The services of a window, most transactions first.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Services {
    /// The services, at most 1000.
    pub services: Vec<Service>,
    /// Number of other services that are not listed.
    pub left_out: usize,
    /// Number of services with more time, before these.
    pub first: usize,
    /// False if they are ranked by time, and another order is asked for.
    #[serde(skip)]
    pub is_ranked: bool,
    /// The buckets of the sparklines.
    pub axis: Axis,
    /// All services together, those that are not listed too.
    pub totals: Totals,
    /// The one with most time, listed or not; null where nothing happened.
    pub busiest: Option<String>,
}

/// Services together.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema, Serialize)]
#[schemars(rename = "ServiceTotals")]
pub struct Totals {
    /// Transactions.
    pub transactions: f64,
    /// Transactions per minute.
    pub throughput: f64,
    /// Failed transactions / judged ones, 0 to 1.
    pub failed_rate: Option<f64>,
    /// Error events per minute; null where the query names fields that errors do not have.
    pub errors_per_minute: Option<f64>,
    /// Time in statements / time in transactions, 0 to 1; null where the query names fields that statements do not
    /// have.
    pub db_share: Option<f64>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    environments: String,
    #[diesel(sql_type = Text)]
    agent_name: String,
    #[diesel(sql_type = Text)]
    agent_version: String,
    #[diesel(sql_type = Text)]
    language: String,
    #[diesel(sql_type = Text)]
    version: String,
    #[diesel(sql_type = BigInt)]
    errors: i64,
    /// Whether it is listed without a transaction, for its errors or metrics.
    #[diesel(sql_type = Bool)]
    heard: bool,
}

/// Services with a transaction, an error or a metric in the window.
///
/// # Errors
/// Those of SQLite.
pub fn list(conn: &mut SqliteConnection, scope: &Scope, window: &Window) -> QueryResult<Services> {
    list_of(conn, scope, window, (&Pick::default(), None))
}

/// The rank of services by what the sums of their transactions do not have.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rank<'a> {
    /// Number of error events.
    Errors,
    /// Time in statements / time in transactions.
    Sql,
    /// A number by their names.
    Number(&'a HashMap<String, f64>),
}

/// Those that are picked. Beyond all of them, the last thousand. `rank`: what [`list::By::Own`] ranks by.
///
/// # Errors
/// Those of SQLite.
pub(crate) fn list_of(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
    (pick, rank): (&Pick, Option<Rank<'_>>),
) -> QueryResult<Services> {
    let bind = |text| window.bind(scope.bind(Sql::new(text)));
    let asked = in_statements(conn, scope, window)?;
    let known: Vec<Row> = bind(include_str!("services/known.sql")).load(conn)?;
    let failures: HashMap<&str, i64> = known
        .iter()
        .map(|row| (row.name.as_str(), row.errors))
        .collect();
    let own = |name: &str, sum: &Sum| match rank? {
        Rank::Errors => failures.get(name).map(|errors| *errors as f64),
        Rank::Sql => mean(asked.get(name).copied().unwrap_or_default(), sum.total.sum)
            .map(|share| share.min(1.0)),
        Rank::Number(numbers) => numbers.get(name).copied(),
    };
    let members = bind(include_str!("services/members.sql"));
    let exact = bind(include_str!("services/exact.sql"));
    let (found, percentiles) =
        list::of_transactions(conn, scope, (&members, &exact), window, (pick, Some(&own)))?;
    let list::Lines {
        lines,
        all,
        left_out,
        unfound,
        first,
        is_ranked,
        ..
    } = found;
    // The time of every service with a transaction, listed or not.
    let others = left_out.iter().chain(&unfound);
    let others = others.map(|(name, total)| (Arc::clone(name), total.sum));
    let times = lines
        .iter()
        .map(|line| (Arc::clone(&line.key), line.total.sum));
    let times: HashMap<Arc<str>, f64> = times.chain(others).collect();
    // Of equal ones, the first by name.
    let busiest = times
        .iter()
        .max_by(|a, b| a.1.total_cmp(b.1).then_with(|| b.0.cmp(a.0)));
    let busiest = busiest.map(|(name, _)| name.to_string());
    let mut lines: HashMap<Arc<str>, Line> = lines
        .into_iter()
        .map(|line| (Arc::clone(&line.key), line))
        .collect();
    let axis = Axis::from(window);
    let is_counted = is_counted(scope);
    // Those without a transaction come last, however many errors they have.
    let is_ranked = is_ranked
        && !(matches!(rank, Some(Rank::Errors))
            && known
                .iter()
                .any(|row| row.heard && row.errors > 0 && !times.contains_key(row.name.as_str())));
    // Parallel statements may take more time than their transactions have.
    let limited = times.iter().map(|(name, time)| {
        let asked = asked.get(&**name).copied().unwrap_or_default();
        asked.min(*time)
    });
    let limited = super::total(limited);
    let mut errors = 0;
    let mut others = 0;
    let mut services: Vec<Service> = known
        .into_iter()
        .filter_map(|row| {
            let line = lines.remove(row.name.as_str());
            let is_busy = times.contains_key(row.name.as_str());
            if is_busy || row.heard {
                errors += row.errors;
            }
            if line.is_none() && (!row.heard || is_busy || !pick.finds(&row.name)) {
                return None;
            }
            if !pick.has_key(&row.name) {
                others += 1;
                return None;
            }
            let total = line.as_ref().map(|line| line.total).unwrap_or_default();
            let asked = asked.get(row.name.as_str()).copied().unwrap_or_default();
            Some(Service {
                environments: serde_json::from_str(&row.environments).unwrap_or_default(),
                name: row.name,
                agent: row.agent_name,
                agent_version: row.agent_version,
                language: row.language,
                version: row.version,
                transactions: total.count,
                latency_avg: total.mean(),
                latency: line.as_ref().and_then(|line| line.latency(&percentiles)),
                throughput: total.count / window.minutes,
                errors: is_counted.then_some(row.errors),
                errors_per_minute: is_counted.then_some(row.errors as f64 / window.minutes),
                failed_rate: total.failed_rate(),
                db_share: mean(asked, total.sum)
                    .filter(|_| is_counted)
                    .map(|share| share.min(1.0)),
                series: line.map_or_else(|| Series::empty(axis.buckets.len()), |line| line.series),
            })
        })
        .collect();
    services.sort_rows_by(|a, b| {
        (b.transactions.total_cmp(&a.transactions)).then_with(|| a.name.cmp(&b.name))
    });
    let more = services.len().saturating_sub(list::MOST);
    services.truncate(list::MOST);
    Ok(Services {
        services,
        left_out: left_out.len() + others + more,
        first,
        is_ranked,
        axis,
        totals: Totals {
            transactions: all.count,
            throughput: all.count / window.minutes,
            failed_rate: all.failed_rate(),
            errors_per_minute: is_counted.then_some(errors as f64 / window.minutes),
            db_share: mean(limited, all.sum).filter(|_| is_counted),
        },
        busiest,
    })
}

/// Whether errors and statements can be told of a scope: they are counted by service, so a filter on anything else
/// cannot be applied to them.
fn is_counted(scope: &Scope) -> bool {
    let query = scope.query.as_ref();
    query.is_none_or(|query| filter::check(query, List::Metrics).is_ok())
}

/// The time of the statements of each service, µs.
fn in_statements(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
) -> QueryResult<HashMap<Arc<str>, f64>> {
    let sql = Sql::new(include_str!("services/statements.sql"));
    let members = Members::read(conn, &window.bind(scope.bind(sql)))?;
    let sums = totals::of_window(conn, Table::Statements, &members, &window.slices())?;
    let keys = members.keys().iter().map(Arc::clone);
    Ok(keys.zip(sums.iter().map(|sum| sum.total.sum)).collect())
}
