//! Questions about the telemetry: one per module, its SQL in a file beside it.
//!
//! * Every function reads through one connection and returns plain structs that are `Serialize`: the
//!   pages and `/api/v1` show the same ones.
//! * Lists and charts read rollups ([`window::Window`] says which), or small indexed ranges of raw rows
//!   whose size a rollup has told before. Only one trace, and Discover, read raw rows beyond that.
//! * Times are µs since the epoch (`…_us` or `timestamp`) or, for the start of a bucket, seconds;
//!   durations are µs. Counts and sums are weighted by `1 / sample_rate`, so they estimate what happened,
//!   not what was sent.
//!
//! Nothing here writes, and nothing here knows HTTP.

pub mod breakdown;
pub(crate) mod cache;
mod calls;
pub(crate) mod change;
pub mod chosen;
pub(crate) mod comparison;
mod condition;
pub mod correlations;
pub(crate) mod deadline;
pub mod dependencies;
pub(crate) mod directory;
pub mod discover;
pub mod distribution;
pub(crate) mod engine_query;
pub mod error_group;
pub mod errors;
pub(crate) mod filter;
mod gauge_names;
mod histograms;
pub mod instances;
pub mod kept;
pub mod latency;
pub(crate) mod list;
pub mod matching;
mod members;
pub mod metrics;
pub(crate) mod minutes;
pub(crate) mod names;
mod newest;
pub mod percentile;
pub mod samples;
pub mod scanned;
mod sender;
pub mod series;
pub mod service_map;
pub mod services;
pub mod short;
pub mod sql;
pub mod statement;
pub mod statements;
pub mod throughput;
mod totals;
pub mod trace;
pub mod traces;
mod transaction_percentiles;
pub mod transactions;
pub mod vitals;
mod weight;
pub mod window;

use std::borrow::Borrow;
use std::sync::Arc;

use apm_store::event::Outcome;
use chosen::Chosen;
use kql::Expr;
use scanned::Scanned;
use serde::Serialize;
use sql::Sql;

/// The events that a question is about; each part that is `None` narrows nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Scope {
    /// `service.name`
    pub service: Option<String>,
    /// `service.environment`; the empty string means “not set”.
    pub environment: Option<String>,
    /// `transaction.type`
    pub transaction_type: Option<String>,
    /// `transaction.name`
    pub transaction_name: Option<String>,
    /// The services and environments that are chosen, where they are not just one.
    pub chosen: Chosen,
    /// A query that `filter::check` let through.
    #[serde(skip)]
    pub query: Option<Expr>,
    /// The requests that are counted one by one, where rollups cannot answer.
    #[serde(skip)]
    pub scanned: Option<Arc<Scanned>>,
}

impl Scope {
    /// Whether a service in an environment is one of those of the scope.
    pub(crate) fn has(&self, service: &str, environment: &str) -> bool {
        let is_one = |one: &Option<String>, name: &str| one.as_ref().is_none_or(|one| one == name);
        is_one(&self.service, service)
            && is_one(&self.environment, environment)
            && self.chosen.services.allows(service)
            && self.chosen.environments.allows(environment)
    }

    /// Gives a question `:service`, `:environment`, `:type`, `:name` and `:filtered`, and the query its place.
    pub(crate) fn bind(&self, sql: Sql) -> Sql {
        let sql = self.chosen.apply(filter::apply(sql, self.query.as_ref()));
        let sql = match &self.scanned {
            Some(scanned) => scanned.apply(sql),
            None => sql,
        };
        sql.bind("service", &self.service)
            .bind("environment", &self.environment)
            .bind("type", &self.transaction_type)
            .bind("name", &self.transaction_name)
            .bind("filtered", i64::from(self.query.is_some()))
    }
}

/// The column `outcome`, read.
#[must_use]
pub fn outcome(stored: i64) -> Outcome {
    match stored {
        0 => Outcome::Failure,
        1 => Outcome::Success,
        _ => Outcome::Unknown,
    }
}

/// A share of failures, or that there was nothing to judge.
///
/// `unknown` outcomes do not count.
#[must_use]
pub fn failed_rate(failures: f64, successes: f64) -> Option<f64> {
    let judged = failures + successes;
    (judged > 0.0).then(|| failures / judged)
}

/// The sum of some values: 0.0 of none. [`Iterator::sum`] begins with -0.0, and answers would say so.
#[must_use]
pub fn total<V: Borrow<f64>>(values: impl IntoIterator<Item = V>) -> f64 {
    let values = values.into_iter();
    values.fold(0.0, |sum, value| sum + value.borrow())
}

/// Without rows there is no mean.
#[must_use]
pub fn mean(sum: f64, count: f64) -> Option<f64> {
    (count > 0.0).then(|| sum / count)
}

#[cfg(test)]
pub(crate) mod tests;
