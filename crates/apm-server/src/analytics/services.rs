//! Which services there are and how they do: the first page.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Text};
use serde::Serialize;

use super::histograms;
use super::percentile::{self, Percentiles};
use super::series::{self, Axis, Series};
use super::sql::Sql;
use super::window::Window;
use super::{Scope, failed_rate, mean};

/// One service, all of its environments together unless one is chosen.
#[derive(Debug, Clone, PartialEq, Serialize)]
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
    /// Error events in the window.
    pub errors: i64,
    /// Error events per minute.
    pub errors_per_minute: f64,
    /// Failed transactions / judged ones, 0 to 1.
    pub failed_rate: Option<f64>,
    /// Time in database statements / time in transactions, 0 to 1; parallel statements are cut at 1.
    pub db_share: Option<f64>,
    /// The sparklines.
    pub series: Series,
}

/// The services of a window, most transactions first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Services {
    /// The services.
    pub services: Vec<Service>,
    /// The buckets of the sparklines.
    pub axis: Axis,
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
    #[diesel(sql_type = Double)]
    count: f64,
    #[diesel(sql_type = BigInt)]
    n: i64,
    #[diesel(sql_type = Double)]
    sum: f64,
    #[diesel(sql_type = Double)]
    failures: f64,
    #[diesel(sql_type = Double)]
    successes: f64,
    #[diesel(sql_type = BigInt)]
    errors: i64,
    #[diesel(sql_type = Double)]
    db_sum: f64,
}

/// The query behind the table.
#[must_use]
pub fn sql(scope: &Scope, window: &Window) -> Sql {
    window.bind(scope.bind(Sql::new(include_str!("services.sql"))))
}

/// The query behind the sparklines.
#[must_use]
pub fn series_sql(scope: &Scope, window: &Window) -> Sql {
    window.bind(scope.bind(Sql::new(include_str!("services/series.sql"))))
}

/// Services with a transaction, an error or a metric in the window.
///
/// # Errors
/// Those of SQLite.
pub fn list(conn: &mut SqliteConnection, scope: &Scope, window: &Window) -> QueryResult<Services> {
    let rows: Vec<Row> = sql(scope, window).load(conn)?;
    let (count, n) = rows
        .iter()
        .fold((0.0, 0), |(count, n), row| (count + row.count, n + row.n));
    let bind = |text| window.bind(scope.bind(Sql::new(text)));
    let members = histograms::members(conn, &bind(include_str!("services/members.sql")))?;
    let percentiles = percentile::of_transactions(
        conn,
        percentile::ranked(count, n),
        &members,
        &bind(include_str!("services/exact.sql")),
        (&window.slices(), None),
    )?;
    let axis = Axis::from(window);
    let points = series_sql(scope, window).load(conn)?;
    let mut sparklines = series::lay_out(points, &members, &axis.buckets);
    let services = rows
        .into_iter()
        .map(|row| Service {
            latency_avg: mean(row.sum, row.count),
            latency: percentiles
                .get(row.name.as_str())
                .and_then(|of| of.get(&0))
                .copied(),
            throughput: row.count / window.minutes,
            errors_per_minute: row.errors as f64 / window.minutes,
            failed_rate: failed_rate(row.failures, row.successes),
            db_share: mean(row.db_sum, row.sum).map(|share| share.min(1.0)),
            series: sparklines
                .remove(row.name.as_str())
                .unwrap_or_else(|| Series::empty(axis.buckets.len())),
            environments: serde_json::from_str(&row.environments).unwrap_or_default(),
            name: row.name,
            agent: row.agent_name,
            agent_version: row.agent_version,
            language: row.language,
            version: row.version,
            transactions: row.count,
            errors: row.errors,
        })
        .collect();
    Ok(Services { services, axis })
}
