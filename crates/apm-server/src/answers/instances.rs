//! `/services/{service}/instances`: what runs a service, and how each of these does.

use std::cmp::Ordering;

use schemars::JsonSchema;
use serde::Serialize;

use super::elsewhere::{self, Elsewhere};
use super::listing::{Listing, Rows, Sort};
use super::parameter::shared::SERVICE;
use super::period::Period;
use super::{Address, Arguments, Problem, Question, Source, at};
use crate::analytics::Scope;
use crate::analytics::filter::List;
use crate::analytics::instances::{self, Instance};
use crate::csv::Table;
use crate::sort_rows::SortRows as _;

const SORTS: [&str; 9] = [
    "node",
    "version",
    "throughput",
    "avg",
    "p95",
    "failed",
    "cpu",
    "memory",
    "count",
];

/// The question.
#[derive(Debug)]
pub(crate) struct Params {
    pub(crate) service: String,
    scope: Scope,
    period: Period,
    listing: Listing,
}

/// The instances of a service.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ServiceInstances")]
pub(crate) struct Answer {
    /// The instances, at most 1 000 on all pages.
    pub(crate) instances: Vec<Instance>,
    #[serde(flatten)]
    pub(crate) rows: Rows,
    /// Number of instances with fewer transactions that are on no page.
    pub(crate) left_out: usize,
    /// Whether all transactions and samples of the range were looked at, or only the newest.
    pub(crate) complete: bool,
    /// The start of the counts of all servers, seconds since the epoch, where it lies inside of the range.
    pub(crate) counted_since: Option<i64>,
    /// The part of other servers before one engine.
    pub(crate) elsewhere: Elsewhere,
    /// Transactions of all instances.
    pub(crate) count: f64,
    /// The one with the longest 95th percentile of all; null where none had a transaction.
    pub(crate) slowest: Option<Instance>,
    #[serde(skip)]
    pub(crate) sort: Sort,
}

impl Question for Params {
    type Answer = Answer;
    const ADDRESS: Address = at!("/services/{service}/instances");
    const SUMMARY: &'static str = "The instances of a service: processes, containers, machines";
    const TABLES: &'static [&'static str] = &["instances"];

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
        let found = instances::list(source.conn, &self.scope, &self.period.window, servers)?;
        let mut rows = found.instances;
        let count = rows.iter().map(|row| row.count).sum();
        let slowest = rows.iter().filter(|row| row.latency_p95.is_some());
        let slowest = slowest
            .max_by(|a, b| {
                a.latency_p95
                    .partial_cmp(&b.latency_p95)
                    .unwrap_or(Ordering::Equal)
            })
            .cloned();
        self.listing.search(&mut rows, |row| {
            [&row.node, &row.version, &row.host, &row.pod]
        });
        sort(&self.listing.sort, &mut rows);
        Ok(Answer {
            rows: self.listing.cut_all(&mut rows),
            instances: rows,
            left_out: found.left_out,
            complete: found.complete,
            counted_since: found.counted_since,
            elsewhere: Elsewhere::of_instances(source.settings, servers),
            count,
            slowest,
            sort: self.listing.sort,
        })
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        vec![Table::from_rows(
            "instances",
            &answer.instances,
            &[
                ("node", |row: &Instance| (&row.node).into()),
                ("environment", |row| (&row.environment).into()),
                ("host", |row| (&row.host).into()),
                ("pod", |row| (&row.pod).into()),
                ("version", |row| (&row.version).into()),
                ("runtime", |row| (&row.runtime).into()),
                ("processes", |row| row.processes.into()),
                ("transactions", |row| row.count.into()),
                ("throughput_per_minute", |row| row.throughput.into()),
                ("latency_avg_us", |row| row.latency_avg.into()),
                ("latency_p95_us", |row| row.latency_p95.into()),
                ("failed_rate", |row| row.failed_rate.into()),
                ("cpu_share", |row| row.cpu.into()),
                ("memory_bytes", |row| row.memory.into()),
            ],
        )]
    }

    // A reading that was cut may get further next time.
    fn is_settled(answer: &Answer) -> bool {
        answer.complete
    }
}

fn sort(sort: &Sort, rows: &mut [Instance]) {
    rows.sort_rows_by(|a, b| match sort.key {
        "node" => sort.compare_text(&a.node, &b.node),
        "version" => sort.compare_text(&a.version, &b.version),
        "throughput" => sort.compare(Some(a.throughput), Some(b.throughput)),
        "avg" => sort.compare(a.latency_avg, b.latency_avg),
        "p95" => sort.compare(a.latency_p95, b.latency_p95),
        "failed" => sort.compare(a.failed_rate, b.failed_rate),
        "cpu" => sort.compare(a.cpu, b.cpu),
        "memory" => sort.compare(a.memory, b.memory),
        _ => sort.compare(Some(a.count), Some(b.count)),
    });
}
