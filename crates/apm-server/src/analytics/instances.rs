//! The instances of a service: the processes, containers or machines that run it, and what each of them did.
//!
//! Rollups do not tell instances apart, so rows are read, newest first, for as long as there is time.

use std::collections::HashMap;

use apm_store::StoreError;
use apm_time::Range;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use super::discover::points::rows;
use super::discover::{self, Limits, Request};
use super::metrics::{PROCESS_CPU, SYSTEM_CPU};
use super::percentile::{bin, representative};
use super::sender;
use super::sql::Sql;
use super::weight::Weight;
use super::{Scope, failed_rate, mean};
use crate::sort_rows::SortRows as _;

/// Instances that are listed.
pub const MOST: usize = 1_000;

/// Samples of a metric that are read, the newest.
const SAMPLES: i64 = 200_000;

/// Memory of the process, bytes.
const MEMORY: &str = "system.process.memory.rss.bytes";

/// An instance and what it did.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Instance {
    /// `service.node.name`, may be empty.
    pub node: String,
    /// `service.environment`, may be empty.
    pub environment: String,
    /// `host.hostname`, may be empty.
    pub host: String,
    /// `kubernetes.pod.name`, may be empty.
    pub pod: String,
    /// `service.version` of its newest process, may be empty.
    pub version: String,
    /// Name and version of its runtime, may be empty.
    pub runtime: String,
    /// Number of its processes that sent something.
    pub processes: usize,
    /// Transactions.
    pub count: f64,
    /// The same per minute of the range.
    pub throughput: f64,
    /// Mean duration, µs.
    pub latency_avg: Option<f64>,
    /// 95th percentile of the duration, µs, within 1 %.
    pub latency_p95: Option<f64>,
    /// Failed / judged, 0 to 1.
    pub failed_rate: Option<f64>,
    /// Mean share of all processors that its process used, 0 to 1; of its machine where processes do not say it.
    pub cpu: Option<f64>,
    /// Mean memory of its process, bytes.
    pub memory: Option<f64>,
}

/// The instances of a service.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Instances {
    /// Most transactions first, at most 1 000.
    pub instances: Vec<Instance>,
    /// Number of other instances.
    pub left_out: usize,
    /// Whether all transactions and samples of the range were looked at, or only the newest.
    pub complete: bool,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    resource_id: i64,
    #[diesel(sql_type = BigInt)]
    duration: i64,
    #[diesel(sql_type = BigInt)]
    outcome: i64,
    #[diesel(embed)]
    weight: Weight,
}

#[derive(QueryableByName)]
struct Sampled {
    #[diesel(sql_type = BigInt)]
    resource_id: i64,
    #[diesel(sql_type = Double)]
    sum: f64,
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// Sums of the requests and samples of senders.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sums {
    count: f64,
    sum: f64,
    failed: f64,
    succeeded: f64,
    bins: HashMap<i64, f64>,
    cpu: (f64, i64),
    machine: (f64, i64),
    memory: (f64, i64),
}

impl Sums {
    fn add(&mut self, row: &Row) {
        let weight = row.weight.number();
        self.count += weight;
        self.sum += row.duration as f64 * weight;
        match row.outcome {
            0 => self.failed += weight,
            1 => self.succeeded += weight,
            _ => {}
        }
        *self.bins.entry(bin(row.duration)).or_default() += weight;
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.failed += other.failed;
        self.succeeded += other.succeeded;
        for (bin, count) in &other.bins {
            *self.bins.entry(*bin).or_default() += count;
        }
        let add = |own: &mut (f64, i64), other: (f64, i64)| {
            own.0 += other.0;
            own.1 += other.1;
        };
        add(&mut self.cpu, other.cpu);
        add(&mut self.machine, other.machine);
        add(&mut self.memory, other.memory);
    }

    pub(crate) fn count(&self) -> f64 {
        self.count
    }

    pub(crate) fn average(&self) -> Option<f64> {
        mean(self.sum, self.count)
    }

    pub(crate) fn failed_rate(&self) -> Option<f64> {
        failed_rate(self.failed, self.succeeded)
    }

    /// The duration that 95 % do not exceed.
    pub(crate) fn p95(&self) -> Option<f64> {
        let mut bins: Vec<(i64, f64)> = self
            .bins
            .iter()
            .map(|(bin, count)| (*bin, *count))
            .collect();
        bins.sort_unstable_by_key(|(bin, _)| *bin);
        let mut below = 0.0;
        for (bin, count) in bins {
            below += count;
            if below >= 0.95 * self.count {
                return Some(representative(bin));
            }
        }
        None
    }
}

/// A sender: a process, as its metadata describes it.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    /// Its number: a later sender has a larger one.
    pub(crate) id: i64,
    environment: String,
    document: Json,
    pub(crate) sums: Sums,
}

impl Process {
    fn text(&self, path: &str) -> String {
        sender::text(&self.document, path)
    }

    pub(crate) fn version(&self) -> String {
        self.text("/service/version")
    }

    /// `service.node.name`, else what tells machines apart.
    pub(crate) fn node(&self) -> String {
        sender::node(&self.document)
    }
}

/// The processes of a service that sent something in a range; whether all rows were looked at. Nothing where the query
/// asks for more than rows tell.
///
/// # Errors
/// Those of SQLite.
pub(crate) fn processes(
    conn: &mut SqliteConnection,
    scope: &Scope,
    range: Range,
) -> Result<(Vec<Process>, bool), StoreError> {
    let entries = kql::parse("processor.event: transaction", 0).unwrap_or(kql::Expr::All);
    let query = scope.query.clone().unwrap_or(kql::Expr::All);
    let request = Request {
        query: discover::all_of([entries, scope.chosen.query(), query]),
        range,
        size: 0,
        after: None,
        limits: Limits::default(),
    };
    let request = request.within(scope.service.as_deref(), scope.environment.as_deref());
    let mut sums: HashMap<i64, Sums> = HashMap::new();
    let columns = "r.resource_id, r.duration, r.outcome, r.sample_rate, r.weight";
    let read = rows(conn, &request, columns, |row: Row| {
        sums.entry(row.resource_id).or_default().add(&row);
    })?;
    // A query that rows cannot answer reads none of them.
    let mut complete = read.unwrap_or(false);
    for (metric, of) in [
        (
            PROCESS_CPU,
            (|sums| &mut sums.cpu) as fn(&mut Sums) -> &mut (f64, i64),
        ),
        (SYSTEM_CPU, |sums| &mut sums.machine),
        (MEMORY, |sums| &mut sums.memory),
    ] {
        let found: Vec<Sampled> = scope
            .bind(Sql::new(include_str!("instances/samples.sql")))
            .bind("metric", metric)
            .bind("from", range.from)
            .bind("to", range.to)
            .bind("most", SAMPLES)
            .load(conn)?;
        complete &= found.iter().map(|row| row.n).sum::<i64>() < SAMPLES;
        for row in found {
            // A sender without a request is an instance, too.
            *of(sums.entry(row.resource_id).or_default()) = (row.sum, row.n);
        }
    }
    let ids: Vec<i64> = sums.keys().copied().collect();
    let processes = sender::read(conn, &ids)?.into_iter().map(|sender| Process {
        id: sender.id,
        environment: sender.environment,
        document: sender::described(&sender.document),
        sums: sums.remove(&sender.id).unwrap_or_default(),
    });
    Ok((processes.collect(), complete))
}

/// The instances of a service in a range.
///
/// # Errors
/// Those of SQLite.
pub fn list(
    conn: &mut SqliteConnection,
    scope: &Scope,
    range: Range,
) -> Result<Instances, StoreError> {
    let (processes, complete) = processes(conn, scope, range)?;
    let mut by_node: HashMap<(String, String), Vec<&Process>> = HashMap::new();
    for process in &processes {
        let of = (process.environment.clone(), process.node());
        by_node.entry(of).or_default().push(process);
    }
    let minutes = (range.to - range.from).max(1) as f64 / 60e6;
    let mut instances: Vec<Instance> = by_node
        .into_iter()
        .map(|((environment, node), of)| instance((environment, node), &of, minutes))
        .collect();
    instances.sort_rows_by(|a, b| {
        b.count
            .total_cmp(&a.count)
            .then_with(|| a.node.cmp(&b.node))
    });
    let left_out = instances.len().saturating_sub(MOST);
    instances.truncate(MOST);
    Ok(Instances {
        instances,
        left_out,
        complete,
    })
}

fn instance((environment, node): (String, String), of: &[&Process], minutes: f64) -> Instance {
    let mut sums = Sums::default();
    for process in of {
        sums.merge(&process.sums);
    }
    let newest = of.iter().max_by_key(|process| process.id);
    let text = |path: &str| newest.map(|process| process.text(path)).unwrap_or_default();
    let cpu = mean(sums.cpu.0, sums.cpu.1 as f64);
    Instance {
        host: match text("/host/hostname") {
            host if host.is_empty() => text("/host/name"),
            host => host,
        },
        pod: text("/kubernetes/pod/name"),
        version: text("/service/version"),
        runtime: format!(
            "{} {}",
            text("/service/runtime/name"),
            text("/service/runtime/version")
        )
        .trim()
        .to_owned(),
        processes: of.len(),
        count: sums.count,
        throughput: sums.count / minutes,
        latency_avg: sums.average(),
        latency_p95: sums.p95(),
        failed_rate: sums.failed_rate(),
        cpu: cpu.or_else(|| mean(sums.machine.0, sums.machine.1 as f64)),
        memory: mean(sums.memory.0, sums.memory.1 as f64),
        environment,
        node,
    }
}
