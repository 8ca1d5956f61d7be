//! `/services/{service}/versions`: the versions of a service, and what changed with each deployment.

use apm_time::{Range, SECOND};

use super::parameter::shared::SERVICE;
use super::{Address, Arguments, Depends, Problem, Question, Source, at};
use crate::analytics::Scope;
use crate::analytics::filter::List;
use crate::csv::{Cell, Table};
use crate::insight::versions::{self, Deployment, Version, Versions};

/// The question.
#[derive(Debug)]
pub(crate) struct Params {
    pub(crate) service: String,
    scope: Scope,
    range: Range,
    /// Seconds since the epoch.
    now: i64,
}

impl Question for Params {
    type Answer = Versions;
    const ADDRESS: Address = at!("/services/{service}/versions");
    const SUMMARY: &'static str = "The versions of a service, and before and after each deployment";
    const DEPENDS: Depends = Depends::Now;
    const TABLES: &'static [&'static str] = &["versions", "deployments"];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        Ok(Self {
            service: arguments.segment(&SERVICE).to_owned(),
            scope: arguments.service_scope(List::Transactions)?,
            range: arguments.range()?,
            now: arguments.now / SECOND,
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Versions, Problem> {
        Ok(versions::read(
            source.conn,
            &self.scope,
            self.range,
            self.now,
        )?)
    }

    fn tables(answer: &Versions) -> Vec<Table> {
        vec![
            Table::from_rows(
                "versions",
                &answer.versions,
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
                &answer.deployments,
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
    fn is_settled(answer: &Versions) -> bool {
        answer.complete
    }
}
