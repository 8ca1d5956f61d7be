//! `/services`: which services there are, how they do, and which of them needs a look.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::alerts;
use super::listed::Listed;
use super::listing::Rows;
use super::matching::{self, Scan};
use super::part::Part;
use super::period::Period;
use super::top::{self, TopErrors, TopTransactions};
use super::{Address, Arguments, Problem, Question, Source, at, beside};
use crate::analytics::Scope;
use crate::analytics::change::{self, Change};
use crate::analytics::filter::List;
use crate::analytics::list::{By, Pick};
use crate::analytics::series::Axis;
pub(crate) use crate::analytics::services::Totals;
use crate::analytics::services::{self, Rank, Service, Services};
use crate::analytics::transactions;
use crate::csv::Table;
use crate::insight::finding;
use crate::sort_rows::SortRows as _;

/// The columns that the list can be sorted by.
pub(crate) const SORTS: [&str; 8] = [
    "name", "avg", "change", "p95", "rate", "failed", "errors", "sql",
];

/// Transaction groups of the busiest service.
const GROUPS: usize = 7;

/// The question.
#[derive(Debug)]
pub(crate) struct Params(Listed);

/// The services of a window.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Services")]
pub(crate) struct Answer {
    /// The services, most transactions first unless `sort` says otherwise.
    pub(crate) services: Vec<Service>,
    /// Number of services on other pages.
    pub(crate) left_out: usize,
    #[serde(flatten)]
    pub(crate) rows: Rows,
    /// The buckets of the sparklines.
    pub(crate) axis: Axis,
    /// The requests that this was counted from one by one; null where the query names only fields that rollups know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scan: Option<Scan>,
    /// All services together, those on other pages too.
    pub(crate) totals: Totals,
    /// Number of open insights of each service; those without any are left out.
    pub(crate) insights: HashMap<String, u64>,
    /// Number of alerts that fire about each service; those without any are left out.
    pub(crate) alerts: HashMap<String, u64>,
    /// The most frequent errors; null where the query names fields that errors do not have.
    pub(crate) top_errors: Option<TopErrors>,
    /// The service with most time, and where its time goes; null where nothing happened.
    pub(crate) busiest: Option<Busiest>,
    /// The change of the duration of the same requests since the earlier window, by service; empty without one.
    pub(crate) changes: HashMap<String, Change>,
    /// The services of the earlier window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) previous: Option<Previous>,
    #[serde(skip)]
    pub(crate) sort: super::listing::Sort,
    /// An address to call as long as nothing has come.
    #[serde(skip)]
    pub(crate) call_first: Option<String>,
}

/// The services of the earlier window.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ServicesBefore")]
pub(crate) struct Previous {
    /// Those of the answer that were there, most transactions first.
    pub(crate) services: Vec<Service>,
    /// Number of others that were there.
    pub(crate) left_out: usize,
    /// The buckets of the sparklines.
    pub(crate) axis: Axis,
    /// All services together, those on other pages too.
    pub(crate) totals: Totals,
}

/// The transaction groups of the service with most time.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Busiest {
    /// `service.name`
    pub(crate) service: String,
    #[serde(flatten)]
    pub(crate) top: TopTransactions,
}

impl Question for Params {
    type Answer = Answer;
    const ADDRESS: Address = at!("/services");
    const SUMMARY: &'static str = "Services";
    const TABLES: &'static [&'static str] = &["services", "transactions"];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        let (scope, period) = (arguments.open_chosen_scope()?, Period::read(arguments)?);
        Listed::read(arguments, scope, period, &SORTS, "-rate").map(Self)
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        let period = self.0.period.stored(source.conn)?;
        let (scope, period, scan) = matching::read(source.conn, &self.0.scope, period)?;
        let mut changes = match &period.before {
            Some(before) => change::of_services(source.conn, &scope, &period.window, before)?,
            None => HashMap::new(),
        };
        let ratio = |(name, change): (&String, &Change)| Some((name.clone(), change.ratio()?));
        let ratios: HashMap<String, f64> = changes.iter().filter_map(ratio).collect();
        let rank = match self.0.listing.sort.key {
            "change" => Some(Rank::Number(&ratios)),
            "errors" => Some(Rank::Errors),
            "sql" => Some(Rank::Sql),
            _ => None,
        };
        let pick = self.0.listing.pick(ranked);
        let Services {
            mut services,
            left_out,
            first,
            is_ranked,
            axis,
            totals,
            busiest,
        } = services::list_of(source.conn, &scope, &period.window, (&pick, rank))?;
        self.sort(&mut services, &changes);
        let rows = self
            .0
            .listing
            .cut(&mut services, (first, left_out), is_ranked);
        let previous = match &period.before {
            Some(before) => {
                let same = Pick::of_keys(services.iter().map(|service| service.name.clone()));
                Some(services::list_of(
                    source.conn,
                    &scope,
                    before,
                    (&same, None),
                )?)
            }
            None => None,
        };
        let previous = previous.map(|found| Previous {
            totals: found.totals,
            services: found.services,
            left_out: found.left_out,
            axis: found.axis,
        });
        let busiest = match busiest {
            Some(service) => Some(Self::busiest(source, &scope, &period, service)?),
            None => None,
        };
        let top_errors = match beside(&scope, List::Errors) {
            Some(scope) => Some(TopErrors::read(source.conn, &scope, &period.window)?),
            None => None,
        };
        let is_listed = |name: &str| services.iter().any(|service| service.name == name);
        changes.retain(|name, _| is_listed(name));
        Ok(Answer {
            left_out: rows.total - services.len(),
            services,
            rows,
            axis,
            scan,
            totals,
            insights: finding::counts(source.conn, &scope)?,
            alerts: alerts::by_service(source.conn, &scope)?,
            top_errors,
            busiest,
            changes,
            previous,
            sort: self.0.listing.sort,
            call_first: source.settings.call_first.clone(),
        })
    }

    fn part(answer: &Answer) -> Option<Part> {
        Some(answer.rows.into())
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        vec![
            Table::from_rows(
                "services",
                &answer.services,
                &[
                    ("service", |row| (&row.name).into()),
                    ("environments", |row| row.environments.join(", ").into()),
                    ("agent", |row| (&row.agent).into()),
                    ("language", |row| (&row.language).into()),
                    ("version", |row| (&row.version).into()),
                    ("transactions", |row| row.transactions.into()),
                    ("latency_avg_us", |row| row.latency_avg.into()),
                    ("latency_p50_us", |row| row.latency.map(|of| of.p50).into()),
                    ("latency_p95_us", |row| row.latency.map(|of| of.p95).into()),
                    ("latency_p99_us", |row| row.latency.map(|of| of.p99).into()),
                    ("throughput_per_minute", |row| row.throughput.into()),
                    ("failed_rate", |row| row.failed_rate.into()),
                    ("errors", |row| row.errors.into()),
                    ("errors_per_minute", |row| row.errors_per_minute.into()),
                    ("db_share", |row| row.db_share.into()),
                ],
            ),
            top::transactions(
                answer
                    .busiest
                    .iter()
                    .flat_map(|busiest| &busiest.top.transactions),
            ),
        ]
    }
}

/// The rank of all services for a column.
fn ranked(key: &str) -> Option<By> {
    match key {
        "name" => Some(By::Word(0)),
        "avg" => Some(By::Mean),
        "p95" => Some(By::P95),
        "rate" => Some(By::Count),
        "failed" => Some(By::Failed),
        "change" | "errors" | "sql" => Some(By::Own),
        _ => None,
    }
}

impl Params {
    fn busiest(
        source: &mut Source<'_>,
        scope: &Scope,
        period: &Period,
        service: String,
    ) -> Result<Busiest, Problem> {
        let scope = Scope {
            service: Some(service.clone()),
            ..scope.clone()
        };
        let top = Pick::most_time(GROUPS);
        let found = transactions::list_of(source.conn, &scope, &period.window, (&top, None))?;
        let total = found.transactions.len() + found.left_out;
        Ok(Busiest {
            service,
            top: TopTransactions {
                transactions: found.transactions,
                total,
            },
        })
    }

    fn sort(&self, services: &mut [Service], changes: &HashMap<String, Change>) {
        let change = |service: &Service| changes.get(&service.name).and_then(Change::ratio);
        let sort = &self.0.listing.sort;
        services.sort_rows_by(|a, b| match sort.key {
            "name" => sort.compare_text(&a.name, &b.name),
            "avg" => sort.compare(a.latency_avg, b.latency_avg),
            "change" => sort.compare(change(a), change(b)),
            "p95" => sort.compare(a.latency.map(|of| of.p95), b.latency.map(|of| of.p95)),
            "failed" => sort.compare(a.failed_rate, b.failed_rate),
            "errors" => sort.compare(a.errors_per_minute, b.errors_per_minute),
            "sql" => sort.compare(a.db_share, b.db_share),
            _ => sort.compare(Some(a.throughput), Some(b.throughput)),
        });
    }
}
