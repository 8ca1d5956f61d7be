//! The service map: services, what they call, and how often.
//!
//! A call is drawn to the service that answered it, where that is known (`roll_call`). Where one service answers for a
//! destination, all calls of that destination lead to it: also those that failed before they reached it. Where several
//! do, each has the calls that it answered, and the rest leads to the destination itself. A queue stays between its
//! producers and its consumers.

mod graph;

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use schemars::JsonSchema;
use serde::Serialize;

use super::cache::Table;
use super::calls::{self, Callee};
use super::chosen::{Choice, Chosen};
use super::members::Members;
use super::services::{self, Brief};
use super::sql::Sql;
use super::totals::{self, Total};
use super::window::Window;
use super::{Scope, failed_rate, mean};
use crate::sort_rows::SortRows as _;
use graph::{Drawn, Graph};

/// Nodes that are drawn at most.
pub const MOST: usize = 200;

/// A service, or something that services call.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Node {
    /// `service` for a service, else the type of the calls, such as `db`, `messaging` or `external`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The name of the service, or of what is called.
    pub name: String,
    /// The agent of a service, or the subtype of the calls, such as `sqlite`; may be empty.
    pub subtype: String,
    /// Transactions per minute of a service, calls per minute of anything else.
    pub throughput: f64,
    /// Mean duration of a transaction, or of a call, µs.
    pub latency_avg: Option<f64>,
    /// Failed / judged, 0 to 1.
    pub failed_rate: Option<f64>,
    /// Time in statements / time in transactions, 0 to 1; null for what is no service.
    pub db_share: Option<f64>,
}

impl Node {
    /// Whether it is a service that sends telemetry.
    #[must_use]
    pub fn is_service(&self) -> bool {
        self.kind == SERVICE
    }
}

/// Calls from one node to another.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Edge {
    /// The place of the caller among the nodes.
    pub from: usize,
    /// The place of the callee among the nodes.
    pub to: usize,
    /// Calls in the window.
    pub count: f64,
    /// Calls per minute.
    pub throughput: f64,
    /// Mean duration of a call as the caller sees it, µs.
    pub latency_avg: Option<f64>,
    /// Longest, µs.
    pub latency_max: i64,
    /// Failed / judged, 0 to 1.
    pub failed_rate: Option<f64>,
    /// Time that the caller waited, in all, µs. To a database this is the time of SQL.
    pub total: f64,
    /// That time / the time of the caller's transactions; above 1 where calls run beside each other. Null for a caller
    /// that is no service.
    pub share: Option<f64>,
}

/// A map of a window.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct ServiceMap {
    /// Services and what they call, those with most calls first; at most 200.
    pub nodes: Vec<Node>,
    /// Calls between them, most time first.
    #[serde(rename = "calls")]
    pub edges: Vec<Edge>,
    /// Services that neither call nor are called, most requests first; at most 200.
    pub alone: Vec<Node>,
    /// Number of nodes that are not in the answer, with fewer calls.
    pub left_out: usize,
}

const SERVICE: &str = "service";

#[derive(Debug, QueryableByName)]
struct Destination {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    service: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    r#type: String,
    #[diesel(sql_type = Text)]
    subtype: String,
}

/// The map of a window; with a service in the scope, that service and its neighbours.
///
/// # Errors
/// Those of SQLite.
pub fn read(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
) -> QueryResult<ServiceMap> {
    let everyone = Scope {
        service: None,
        chosen: Chosen {
            services: Choice::All,
            ..scope.chosen.clone()
        },
        ..scope.clone()
    };
    let sql = Sql::new(include_str!("service_map/destinations.sql"));
    let destinations: Vec<Destination> = everyone.bind(sql).load(conn)?;
    let members: Members = destinations.iter().map(|row| (row.id, "")).collect();
    let slices = window.slices();
    let totals = totals::by_id(conn, Table::Destinations, &members, &slices)?;
    let callees = calls::of_window(conn, &slices)?;
    let services = services::all(conn, &everyone, window)?;
    let mut graph = Graph::default();
    for row in &destinations {
        if let Some(total) = totals.get(&row.id) {
            lead(&mut graph, row, total, callees.get(&row.id));
        }
    }
    if scope.service.is_some() || !scope.chosen.services.is_all() {
        graph.keep_neighbours(|name| is_chosen(scope, name));
    }
    Ok(answer(&graph, &services, scope, window))
}

/// Draws the calls of a destination to where they lead.
fn lead(graph: &mut Graph, row: &Destination, total: &Total, callees: Option<&Vec<Callee>>) {
    let caller = graph.service(&row.service);
    let callees = callees.map_or(&[][..], Vec::as_slice);
    if row.r#type == "messaging" || callees.is_empty() {
        let queue = graph.called(&row.name, &row.r#type, &row.subtype);
        graph.add(caller, queue, total);
        for callee in callees {
            let consumer = graph.service(&callee.service);
            graph.add(queue, consumer, &callee.total);
        }
        return;
    }
    if let [only] = callees {
        let callee = graph.service(&only.service);
        return graph.add(caller, callee, total);
    }
    let mut rest = *total;
    for answered in callees {
        let callee = graph.service(&answered.service);
        graph.add(caller, callee, &answered.total);
        rest.count -= answered.total.count;
        rest.n -= answered.total.n;
        rest.sum -= answered.total.sum;
        rest.failures -= answered.total.failures;
        rest.successes -= answered.total.successes;
    }
    // Sums of fractions may differ in their last digits.
    if rest.count > total.count / 1e6 {
        let rest = Total {
            n: rest.n.max(0),
            sum: rest.sum.max(0.0),
            failures: rest.failures.max(0.0),
            successes: rest.successes.max(0.0),
            ..rest
        };
        let unknown = graph.called(&row.name, &row.r#type, &row.subtype);
        graph.add(caller, unknown, &rest);
    }
}

fn answer(graph: &Graph, services: &[Brief], scope: &Scope, window: &Window) -> ServiceMap {
    let known: HashMap<&str, &Brief> = services
        .iter()
        .map(|service| (service.name.as_str(), service))
        .collect();
    let Drawn {
        nodes: drawn,
        edges,
        left_out,
    } = graph.drawn(MOST);
    let mut received: BTreeMap<usize, Total> = BTreeMap::new();
    for ((_, to), total) in &edges {
        received.entry(*to).or_default().add(total);
    }
    let nodes: Vec<Node> = drawn
        .iter()
        .enumerate()
        .map(|(place, node)| match known.get(&*node.name) {
            Some(service) if node.is_service => of_service(service),
            // Hosts, databases and services without an agent are known by the calls to them only.
            _ => {
                let calls = received.get(&place).copied().unwrap_or_default();
                let kind = if node.is_service { SERVICE } else { &node.kind };
                Node {
                    kind: kind.to_owned(),
                    name: node.name.clone(),
                    subtype: node.subtype.clone(),
                    throughput: calls.count / window.minutes,
                    latency_avg: calls.mean(),
                    failed_rate: calls.failed_rate(),
                    db_share: None,
                }
            }
        })
        .collect();
    // Hosts and databases have no requests of their own that their calls could be a share of.
    let time = |place: usize| {
        let node = nodes.get(place).filter(|node| node.is_service())?;
        let service = known.get(node.name.as_str())?;
        Some(service.transactions * service.latency_avg?)
    };
    let mut edges: Vec<Edge> = edges
        .iter()
        .map(|((from, to), total)| Edge {
            from: *from,
            to: *to,
            count: total.count,
            throughput: total.count / window.minutes,
            latency_avg: total.mean(),
            latency_max: total.max,
            failed_rate: failed_rate(total.failures, total.successes),
            total: total.sum,
            share: time(*from).and_then(|time| mean(total.sum, time)),
        })
        .collect();
    edges.sort_rows_by(|a, b| b.total.total_cmp(&a.total));
    let alone: Vec<Node> = services
        .iter()
        .filter(|service| is_chosen(scope, &service.name))
        .filter(|service| !graph.has_service(&service.name))
        .map(of_service)
        .collect();
    let beyond = alone.len().saturating_sub(MOST);
    ServiceMap {
        nodes,
        edges,
        alone: alone.into_iter().take(MOST).collect(),
        left_out: left_out + beyond,
    }
}

/// Whether a service is among those of a scope.
fn is_chosen(scope: &Scope, name: &str) -> bool {
    let is_one = scope.service.as_ref().is_none_or(|one| one == name);
    is_one && scope.chosen.services.allows(name)
}

fn of_service(service: &Brief) -> Node {
    Node {
        kind: SERVICE.to_owned(),
        name: service.name.clone(),
        subtype: service.agent.clone(),
        throughput: service.throughput,
        latency_avg: service.latency_avg,
        failed_rate: service.failed_rate,
        db_share: service.db_share,
    }
}
