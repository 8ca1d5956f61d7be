//! `/services/{service}/versions`: the versions of a service, and what changed with each deployment.

use schemars::JsonSchema;
use serde::Serialize;

use super::elsewhere::{self, Elsewhere};
use super::listing::{Listing, Rows, Sort};
use super::parameter::shared::SERVICE;
use super::period::Period;
use super::{Address, Arguments, Depends, Problem, Question, Source, at};
use crate::analytics::Scope;
use crate::analytics::filter::List;
use crate::csv::{Cell, Table};
use crate::insight::versions::{self, Deployment, Version, Versions};
use crate::sort_rows::SortRows as _;

const SORTS: [&str; 7] = [
    "version",
    "instances",
    "count",
    "avg",
    "p95",
    "failed",
    "errors",
];

/// The question.
#[derive(Debug)]
pub(crate) struct Params {
    pub(crate) service: String,
    scope: Scope,
    period: Period,
    /// Of the versions. Deployments are those of the newest, by their time.
    listing: Listing,
}

/// The versions of a service.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "VersionsOfService")]
pub(crate) struct Answer {
    #[serde(flatten)]
    pub(crate) found: Versions,
    /// The place of the versions among all.
    #[serde(flatten)]
    pub(crate) rows: Rows,
    /// The part of other servers before one engine.
    pub(crate) elsewhere: Elsewhere,
    #[serde(skip)]
    pub(crate) sort: Sort,
}

impl Question for Params {
    type Answer = Answer;
    const ADDRESS: Address = at!("/services/{service}/versions");
    const SUMMARY: &'static str = "The versions of a service, and before and after each deployment";
    const DEPENDS: Depends = Depends::Now;
    const TABLES: &'static [&'static str] = &["versions", "deployments"];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        Ok(Self {
            service: arguments.segment(&SERVICE).to_owned(),
            scope: arguments.service_scope(List::Transactions)?,
            period: Period::alone(arguments)?,
            listing: Listing::read(arguments, &SORTS, "-count")?,
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        let servers = elsewhere::servers_of(source.settings, &self.scope);
        let window = &self.period.window;
        let mut found = versions::read(source.conn, &self.scope, window, servers)?;
        self.listing
            .search(&mut found.versions, |row| [&row.version]);
        sort(&self.listing.sort, &mut found.versions);
        Ok(Answer {
            rows: self.listing.cut_all(&mut found.versions),
            found,
            elsewhere: Elsewhere::of_instances(source.settings, servers),
            sort: self.listing.sort,
        })
    }

    fn tables(Answer { found, .. }: &Answer) -> Vec<Table> {
        vec![
            Table::from_rows(
                "versions",
                &found.versions,
                &[
                    ("version", |row: &Version| (&row.version).into()),
                    ("instances", |row| row.instances.into()),
                    ("transactions", |row| row.count.into()),
                    ("latency_avg_us", |row| row.latency_avg.into()),
                    ("latency_p95_us", |row| row.latency_p95.into()),
                    ("failed_rate", |row| row.failed_rate.into()),
                    ("new_errors", |row| row.new_errors.into()),
                ],
            ),
            Table::from_rows(
                "deployments",
                &found.deployments,
                &[
                    ("version", |row: &Deployment| (&row.marker.name).into()),
                    ("environment", |row| {
                        row.marker.environment.as_deref().into()
                    }),
                    ("at_utc", |row| Cell::second(row.marker.at)),
                    ("transactions_before", |row| row.was.count.into()),
                    ("transactions_after", |row| row.is.count.into()),
                    ("latency_avg_before_us", |row| row.was.latency_avg.into()),
                    ("latency_avg_after_us", |row| row.is.latency_avg.into()),
                    ("latency_p95_before_us", |row| row.was.latency_p95.into()),
                    ("latency_p95_after_us", |row| row.is.latency_p95.into()),
                    ("failed_rate_before", |row| row.was.failed_rate.into()),
                    ("failed_rate_after", |row| row.is.failed_rate.into()),
                    ("new_errors", |row| row.new_errors_total.into()),
                ],
            ),
        ]
    }

    // A reading that was cut may get further next time.
    fn is_settled(answer: &Answer) -> bool {
        answer.found.complete
    }
}

fn sort(sort: &Sort, rows: &mut [Version]) {
    rows.sort_rows_by(|a, b| match sort.key {
        "version" => sort.compare_text(&a.version, &b.version),
        "instances" => sort.compare(Some(a.instances as f64), Some(b.instances as f64)),
        "avg" => sort.compare(a.latency_avg, b.latency_avg),
        "p95" => sort.compare(a.latency_p95, b.latency_p95),
        "failed" => sort.compare(a.failed_rate, b.failed_rate),
        "errors" => sort.compare(Some(a.new_errors as f64), Some(b.new_errors as f64)),
        _ => sort.compare(Some(a.count), Some(b.count)),
    });
}
