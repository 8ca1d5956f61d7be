//! The instances of a service: the processes, containers or machines that run it, and what each of them did.
//!
//! A server of its own reads that from rows, newest first, for as long as there is time. Servers before one engine
//! count it in rollups, which have the instances of all (`counted`).

mod counted;
mod rows;

use std::collections::HashMap;

use apm_store::{StoreError, document, rollup};
use diesel::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;

use super::percentile::{bounded, representative};
use super::window::Window;
use super::{Scope, failed_rate, mean, minutes};
use crate::sort_rows::SortRows as _;
pub(super) use counted::memory_sql;
#[cfg(test)]
pub(super) use counted::{bins_sql, sums_sql};

/// Instances that are listed.
pub const MOST: usize = 1_000;

/// The servers whose instances an answer has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Servers {
    /// This one, by the events that are stored here.
    #[default]
    This,
    /// All before one engine, by their counts.
    All,
}

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
    /// Number of its processes that sent something; null where it is counted by all servers, which do not tell.
    pub processes: Option<usize>,
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
    /// The start of the counts of all servers, seconds since the epoch, where it lies inside of the range.
    pub counted_since: Option<i64>,
}

/// Sums of requests and samples. Gauges have the sum of their values, and their samples.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sums {
    count: f64,
    sum: f64,
    /// µs; none where counts do not tell it.
    longest: Option<i64>,
    failed: f64,
    succeeded: f64,
    bins: HashMap<i64, f64>,
    cpu: (f64, f64),
    machine: (f64, f64),
    memory: (f64, f64),
}

impl Sums {
    pub(crate) fn merge(&mut self, other: &Self) {
        self.longest = rollup::longest_of((self.count, self.longest), (other.count, other.longest));
        self.count += other.count;
        self.sum += other.sum;
        self.failed += other.failed;
        self.succeeded += other.succeeded;
        for (bin, count) in &other.bins {
            *self.bins.entry(*bin).or_default() += count;
        }
        let add = |own: &mut (f64, f64), other: (f64, f64)| {
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
                let value = representative(bin);
                return Some(match self.longest {
                    Some(longest) => bounded(value, self.average(), longest),
                    None => value,
                });
            }
        }
        None
    }
}

/// A process, or all processes of one description, and what they did.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// A later one has a larger number.
    newest: i64,
    environment: String,
    of: document::Instance,
    processes: Option<usize>,
    pub(crate) sums: Sums,
}

impl Part {
    pub(crate) fn version(&self) -> &str {
        &self.of.version
    }

    /// `service.node.name`, else what tells machines apart.
    pub(crate) fn node(&self) -> &str {
        &self.of.node
    }
}

/// Parts of a service, and how much of it they are.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) parts: Vec<Part>,
    /// Whether all of the range was looked at.
    pub(crate) complete: bool,
    pub(crate) counted_since: Option<i64>,
    /// Minutes of the window that have passed.
    minutes: f64,
}

/// The parts of a service that did something in a window. It is counted as the overview of the service counts it: on
/// whole minutes, and rates are of those that have passed.
///
/// # Errors
/// Those of SQLite.
pub(crate) fn parts(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
    servers: Servers,
) -> Result<Parts, StoreError> {
    let window = minutes::widened(conn, window)?;
    match servers {
        Servers::This => rows::parts(conn, scope, &window),
        Servers::All => Ok(counted::parts(conn, scope, &window)?),
    }
}

/// The instances of a service in a window.
///
/// # Errors
/// Those of SQLite.
pub fn list(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
    servers: Servers,
) -> Result<Instances, StoreError> {
    let found = parts(conn, scope, window, servers)?;
    let mut by_node: HashMap<(&str, &str), Vec<&Part>> = HashMap::new();
    for part in &found.parts {
        let of = (part.environment.as_str(), part.node());
        by_node.entry(of).or_default().push(part);
    }
    let mut instances: Vec<Instance> = by_node
        .into_iter()
        .map(|(of, parts)| instance(of, &parts, found.minutes))
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
        complete: found.complete,
        counted_since: found.counted_since,
    })
}

fn instance((environment, node): (&str, &str), parts: &[&Part], minutes: f64) -> Instance {
    let mut sums = Sums::default();
    for part in parts {
        sums.merge(&part.sums);
    }
    let newest = parts.iter().max_by_key(|part| part.newest);
    let of = newest.map(|part| part.of.clone()).unwrap_or_default();
    let average = |(sum, n): (f64, f64)| mean(sum, n);
    Instance {
        node: node.to_owned(),
        environment: environment.to_owned(),
        host: of.host,
        pod: of.pod,
        version: of.version,
        runtime: of.runtime,
        processes: parts.iter().map(|part| part.processes).sum(),
        count: sums.count,
        throughput: sums.count / minutes,
        latency_avg: sums.average(),
        latency_p95: sums.p95(),
        failed_rate: sums.failed_rate(),
        cpu: average(sums.cpu).or_else(|| average(sums.machine)),
        memory: average(sums.memory),
    }
}
