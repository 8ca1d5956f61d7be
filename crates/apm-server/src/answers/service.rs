//! `/services/{service}`: a service at a glance.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::alerts;
use super::charts::{self, Charts};
use super::matching::{self, Scan};
use super::parameter::shared::{NAME, SERVICE, TYPE};
use super::period::Period;
use super::top::{self, TopErrors};
use super::{
    Address, Arguments, Problem, Question, Source, at, beside, of_groups, used_by_requests,
};
use crate::analytics::Scope;
use crate::analytics::change::{self, Change};
use crate::analytics::dependencies::{self, Choice, Dependency};
use crate::analytics::errors::ErrorGroup;
use crate::analytics::filter::List;
use crate::analytics::list::Pick;
use crate::analytics::series::Axis;
use crate::analytics::statements::{self, Statement};
use crate::analytics::transactions::{self, Transaction};
use crate::csv::Table;
use crate::insight::callers::{self, Caller};
use crate::insight::finding;

/// Rows of each table.
const TOP: usize = 10;

/// The question.
#[derive(Debug)]
pub(crate) struct Params {
    pub(crate) service: String,
    scope: Scope,
    period: Period,
}

/// A service at a glance.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ServiceOverview")]
pub(crate) struct Answer {
    /// `service.name`
    pub(crate) service: String,
    /// `transaction.type` of its transactions, most transactions first.
    pub(crate) transaction_types: Vec<String>,
    #[serde(flatten)]
    pub(crate) charts: Charts,
    /// The buckets of the sparklines.
    pub(crate) axis: Axis,
    /// The requests that this was counted from one by one; null where the query names only fields that rollups know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scan: Option<Scan>,
    /// The transaction groups with most time, at most ten.
    pub(crate) transactions: Vec<Transaction>,
    /// Number of all groups.
    pub(crate) transactions_total: usize,
    /// Statements of the requests of these groups.
    pub(crate) sql: Vec<Caller>,
    /// From when on these were counted, seconds since the epoch; null where all of the range was.
    pub(crate) sql_since: Option<i64>,
    /// The errors that deserve a look first, at most five: unhandled ones, then by their occurrences. Null where the
    /// query names fields that errors do not have.
    pub(crate) errors: Option<Vec<ErrorGroup>>,
    /// Number of all error groups; null likewise.
    pub(crate) errors_total: Option<usize>,
    /// The dependencies with most time, at most ten. Null where the query names fields that dependencies do not have.
    pub(crate) dependencies: Option<Vec<Dependency>>,
    /// Number of all dependencies; null likewise.
    pub(crate) dependencies_total: Option<usize>,
    /// The statements with most time, at most ten. Null where the query names fields that statements do not have.
    pub(crate) statements: Option<Vec<Statement>>,
    /// Number of all statements; null likewise.
    pub(crate) statements_total: Option<usize>,
    /// Number of its open insights.
    pub(crate) insights: u64,
    /// Number of alerts that fire about it.
    pub(crate) alerts: u64,
    /// The change of the duration of the same requests since the earlier window; null without one.
    pub(crate) change: Option<Change>,
    /// The charts of the earlier window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) previous: Option<Charts>,
}

impl Question for Params {
    type Answer = Answer;
    const ADDRESS: Address = at!("/services/{service}");
    const SUMMARY: &'static str = "A service at a glance";
    const TABLES: &'static [&'static str] = &[
        "transactions",
        "dependencies",
        "statements",
        "errors",
        charts::TABLES[0],
        charts::TABLES[1],
        charts::TABLES[2],
    ];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        Ok(Self {
            service: arguments.segment(&SERVICE).to_owned(),
            scope: Scope {
                transaction_type: arguments.owned(&TYPE)?,
                transaction_name: arguments.owned(&NAME)?,
                ..arguments.open_service_scope()?
            },
            period: Period::read(arguments)?,
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        let conn = &mut *source.conn;
        let period = self.period.stored(conn)?;
        let (scope, period, scan) = matching::read(conn, &self.scope, period)?;
        let (scope, window) = (&scope, &period.window);
        let top = Pick::most_time(TOP);
        let groups = transactions::list_of(conn, scope, window, (&top, None))?;
        let transactions_total = groups.transactions.len() + groups.left_out;
        let used = used_by_requests(conn, scope, window)?;
        let errors = match beside(scope, List::Errors) {
            Some(scope) => Some(TopErrors::read(conn, &scope, window)?),
            None => None,
        };
        let called = match beside(scope, List::Dependencies) {
            Some(scope) => {
                let choice = Choice::default();
                Some(dependencies::list_of(conn, &scope, &choice, window, &top)?)
            }
            None => None,
        };
        let dependencies_total = called
            .as_ref()
            .map(|of| of.dependencies.len() + of.left_out);
        let run = match beside(scope, List::Statements) {
            Some(scope) => Some(statements::list_of(conn, &scope, window, (&top, None))?),
            None => None,
        };
        let statements_total = run.as_ref().map(|of| of.statements.len() + of.left_out);
        let insights = finding::counts(conn, scope)?;
        let firing = alerts::by_service(conn, scope)?;
        let number = |of: &HashMap<String, u64>| of.get(&self.service).copied().unwrap_or(0);
        let before = period.before.as_ref();
        Ok(Answer {
            service: self.service.clone(),
            transaction_types: transactions::types(conn, scope, window)?,
            charts: Charts::read(conn, scope, window)?,
            axis: groups.axis,
            scan,
            sql: of_groups(conn, used.as_ref(), &groups.transactions)?,
            sql_since: callers::counted_since(conn, window)?,
            transactions: groups.transactions,
            transactions_total,
            errors_total: errors.as_ref().map(|top| top.total),
            errors: errors.map(|top| top.errors),
            dependencies: called.map(|of| of.dependencies),
            dependencies_total,
            statements: run.map(|of| of.statements),
            statements_total,
            insights: number(&insights),
            alerts: number(&firing),
            change: before
                .map(|before| change::of_scope(conn, scope, window, before))
                .transpose()?,
            previous: before
                .map(|window| Charts::read(conn, scope, window))
                .transpose()?,
        })
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        let mut tables = vec![
            top::transactions_with_sql(&answer.transactions, &answer.sql),
            top::dependencies(answer.dependencies.iter().flatten()),
            top::statements(answer.statements.iter().flatten()),
            top::errors(answer.errors.iter().flatten()),
        ];
        tables.extend(answer.charts.tables());
        tables
    }
}
