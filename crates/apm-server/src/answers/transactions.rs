//! `/services/{service}/transactions`: what a service does, by name, and where its time goes.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::charts::{self, Charts};
use super::listing::{Listing, Rows, Sort};
use super::matching::{self, Scan};
use super::parameter::Parameter;
use super::parameter::shared::{NAME, SERVICE};
use super::part::Part;
use super::period::Period;
use super::top;
use super::{Address, Arguments, Problem, Question, Source, at, of_groups, used_by_requests};
use crate::analytics::Scope;
use crate::analytics::change;
use crate::analytics::list::{By, Pick, Sum};
use crate::analytics::series::Axis;
use crate::analytics::transactions::{self, Transaction, Transactions};
use crate::csv::Table;
use crate::insight::callers::{self, Caller, Times, Used};
use crate::sort_rows::SortRows as _;

const SORTS: [&str; 8] = [
    "name", "avg", "change", "p95", "rate", "failed", "sql", "impact",
];

const TYPE: Parameter = Parameter::text(
    "type",
    "`transaction.type`. Default: the one with most transactions; `*` stands for all types.",
);

/// The question.
#[derive(Debug)]
pub(crate) struct Params {
    pub(crate) service: String,
    scope: Scope,
    kind: Option<String>,
    period: Period,
    listing: Listing,
}

/// The transaction groups of a service, and its charts.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Transactions")]
pub(crate) struct Answer {
    /// `service.name`
    pub(crate) service: String,
    /// `transaction.type` of the groups; null for all types, and where there are none.
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    /// The types of the service, most transactions first.
    pub(crate) transaction_types: Vec<String>,
    /// The groups, most time first unless `sort` says otherwise.
    pub(crate) transactions: Vec<Transaction>,
    /// Number of groups on other pages.
    pub(crate) left_out: usize,
    #[serde(flatten)]
    pub(crate) rows: Rows,
    /// The buckets of the sparklines.
    pub(crate) axis: Axis,
    /// The requests that this was counted from one by one; null where the query names only fields that rollups know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scan: Option<Scan>,
    /// Statements of the requests of these groups.
    pub(crate) sql: Vec<Caller>,
    /// From when on these were counted, seconds since the epoch; null where all of the range was.
    pub(crate) sql_since: Option<i64>,
    /// The two groups with most time of all.
    pub(crate) most_time: Vec<Transaction>,
    #[serde(flatten)]
    pub(crate) charts: Charts,
    /// The same of the earlier window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) previous: Option<Previous>,
    #[serde(skip)]
    pub(crate) sort: Sort,
}

/// The transaction groups of the earlier window, and its charts.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TransactionsBefore")]
pub(crate) struct Previous {
    /// Those of the answer that ran there, most time first.
    pub(crate) transactions: Vec<Transaction>,
    /// Number of others that ran there.
    pub(crate) left_out: usize,
    /// The buckets of the sparklines.
    pub(crate) axis: Axis,
    /// False if nothing happened in the first quarter of the earlier window: it may not be known whole.
    pub(crate) is_covered: bool,
    #[serde(flatten)]
    pub(crate) charts: Charts,
}

impl Question for Params {
    type Answer = Answer;
    const ADDRESS: Address = at!("/services/{service}/transactions");
    const SUMMARY: &'static str = "Transaction groups of a service";
    const TABLES: &'static [&'static str] = &[
        "transactions",
        charts::TABLES[0],
        charts::TABLES[1],
        charts::TABLES[2],
    ];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        Ok(Self {
            service: arguments.segment(&SERVICE).to_owned(),
            scope: Scope {
                transaction_name: arguments.owned(&NAME)?,
                ..arguments.open_service_scope()?
            },
            kind: arguments.owned(&TYPE)?,
            period: Period::read(arguments)?,
            listing: Listing::read(arguments, &SORTS, "-impact")?,
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        let conn = &mut *source.conn;
        let period = self.period.stored(conn)?;
        let (scope, period, scan) = matching::read(conn, &self.scope, period)?;
        let window = &period.window;
        let transaction_types = transactions::types(conn, &scope, window)?;
        let kind = match self.kind.as_deref() {
            Some("*") => None,
            Some(kind) => Some(kind.to_owned()),
            None => transaction_types.first().cloned(),
        };
        let scope = Scope {
            transaction_type: kind.clone(),
            ..scope
        };
        let used = used_by_requests(conn, &scope, window)?;
        let times = used.as_ref().map(Used::times);
        let time = |_: &str, sum: &Sum| times.as_ref()?.per_request(&sum.ids);
        let pick = self.listing.pick(ranked);
        let Transactions {
            transactions: mut groups,
            left_out,
            first,
            is_ranked,
            axis,
        } = transactions::list_of(conn, &scope, window, (&pick, Some(&time)))?;
        let most_time = match pick.has_most_time_first(first, left_out) {
            true => groups.iter().take(2).cloned().collect(),
            false => {
                let top = Pick::most_time(2);
                transactions::list_of(conn, &scope, window, (&top, None))?.transactions
            }
        };
        let row = |group: &Transaction| (group.key(), group.latency_avg, group.count);
        let before = period.before.as_ref();
        let changes = self.listing.changes(before, &groups, row, |before, same| {
            let then = transactions::list_of(conn, &scope, before, (same, None));
            then.map(|then| then.transactions)
        })?;
        self.sort(&mut groups, times.as_ref(), &changes);
        let rows = self.listing.cut(&mut groups, (first, left_out), is_ranked);
        let previous = match &period.before {
            Some(window) => {
                let same = Pick::of_keys(groups.iter().map(Transaction::key));
                let found = transactions::list_of(conn, &scope, window, (&same, None))?;
                Some(Previous {
                    transactions: found.transactions,
                    left_out: found.left_out,
                    axis: found.axis,
                    is_covered: change::is_covered(conn, &scope, window)?,
                    charts: Charts::read(conn, &scope, window)?,
                })
            }
            None => None,
        };
        Ok(Answer {
            service: self.service.clone(),
            kind,
            transaction_types,
            left_out: rows.total - groups.len(),
            sql: of_groups(conn, used.as_ref(), &groups)?,
            sql_since: callers::counted_since(conn, window)?,
            transactions: groups,
            rows,
            axis,
            scan,
            most_time,
            charts: Charts::read(conn, &scope, window)?,
            previous,
            sort: self.listing.sort,
        })
    }

    fn part(answer: &Answer) -> Option<Part> {
        Some(answer.rows.into())
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        let mut tables = vec![top::transactions_with_sql(
            &answer.transactions,
            &answer.sql,
        )];
        tables.extend(answer.charts.tables());
        tables
    }
}

/// The rank of all groups for a column.
fn ranked(key: &str) -> Option<By> {
    match key {
        "name" => Some(By::Word(1)),
        "avg" => Some(By::Mean),
        "p95" => Some(By::P95),
        "sql" => Some(By::Own),
        "rate" => Some(By::Count),
        "failed" => Some(By::Failed),
        "impact" => Some(By::Time),
        _ => None,
    }
}

impl Params {
    fn sort(
        &self,
        groups: &mut [Transaction],
        times: Option<&Times>,
        changes: &HashMap<String, f64>,
    ) {
        let sort = &self.listing.sort;
        let change = |group: &Transaction| changes.get(&group.key()).copied();
        let time = |group: &Transaction| times?.per_request(&group.ids);
        groups.sort_rows_by(|a, b| match sort.key {
            "name" => sort.compare_text(&a.name, &b.name),
            "avg" => sort.compare(a.latency_avg, b.latency_avg),
            "change" => sort.compare(change(a), change(b)),
            "p95" => sort.compare(a.latency.map(|of| of.p95), b.latency.map(|of| of.p95)),
            "rate" => sort.compare(Some(a.throughput), Some(b.throughput)),
            "failed" => sort.compare(a.failed_rate, b.failed_rate),
            "sql" => sort.compare(time(a), time(b)),
            _ => sort.compare(Some(a.impact), Some(b.impact)),
        });
    }
}
