//! `/map` and `/services/{service}/map`: services, what they call, and how their calls go.

use schemars::JsonSchema;
use serde::Serialize;

use super::parameter::shared::SERVICE;
use super::period::Period;
use super::sourced::Sourced;
use super::{Address, Arguments, Problem, Question, Source, at};
use crate::analytics::Scope;
use crate::analytics::filter::List;
use crate::analytics::service_map::{self, Edge, Node, ServiceMap};
use crate::csv::{Cell, Table};

/// The map of all services, or of the one that the parameter `service` names.
#[derive(Debug)]
pub(crate) struct All(Asks);

/// The map of one service and its neighbours.
#[derive(Debug)]
pub(crate) struct Params {
    pub(crate) service: String,
    asks: Asks,
}

#[derive(Debug)]
struct Asks {
    scope: Scope,
    period: Period,
}

/// A service map.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ServiceMapAnswer")]
pub(crate) struct Answer {
    #[serde(flatten)]
    pub(crate) map: Sourced<ServiceMap>,
}

impl Question for All {
    type Answer = Answer;
    const ADDRESS: Address = at!("/map");
    const SUMMARY: &'static str = "Services, what they call, and how their calls go";
    const TABLES: &'static [&'static str] = &["calls", "nodes", "alone"];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        let scope = arguments.chosen_scope(List::Dependencies)?;
        Ok(Self(Asks::read(arguments, scope)?))
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        self.0.answer(source)
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        tables(&answer.map)
    }
}

impl Question for Params {
    type Answer = Answer;
    const ADDRESS: Address = at!("/services/{service}/map");
    const SUMMARY: &'static str = "A service, what it calls, and what calls it";
    const TABLES: &'static [&'static str] = &["calls", "nodes", "alone"];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        let scope = arguments.service_scope(List::Dependencies)?;
        Ok(Self {
            service: arguments.segment(&SERVICE).to_owned(),
            asks: Asks::read(arguments, scope)?,
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        self.asks.answer(source)
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        tables(&answer.map)
    }
}

impl Asks {
    fn read(arguments: &Arguments, scope: Scope) -> Result<Self, Problem> {
        Ok(Self {
            scope,
            period: Period::alone(arguments)?,
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        let period = self.period.stored(source.conn)?;
        let map = Sourced::read(source.conn, |conn| {
            service_map::read(conn, &self.scope, &period.window)
        })?;
        Ok(Answer { map })
    }
}

fn tables(map: &ServiceMap) -> Vec<Table> {
    let heads = [
        "caller",
        "callee",
        "type",
        "calls",
        "calls_per_minute",
        "latency_avg_us",
        "latency_max_us",
        "failed_rate",
        "total_us",
        "caller_share",
    ];
    let name = |place: usize| map.nodes.get(place).map_or("", |node| &node.name);
    let call = |edge: &Edge| -> Vec<Cell> {
        let kind = map.nodes.get(edge.to).map_or("", |node| &node.kind);
        vec![
            name(edge.from).into(),
            name(edge.to).into(),
            kind.into(),
            edge.count.into(),
            edge.throughput.into(),
            edge.latency_avg.into(),
            edge.latency_max.into(),
            edge.failed_rate.into(),
            edge.total.into(),
            edge.share.into(),
        ]
    };
    let calls = Table {
        name: "calls",
        columns: heads.map(Into::into).to_vec(),
        rows: map.edges.iter().map(call).collect(),
    };
    let nodes = |name, nodes| {
        Table::from_rows(
            name,
            nodes,
            &[
                ("name", |row: &Node| (&row.name).into()),
                ("type", |row| (&row.kind).into()),
                ("subtype", |row| (&row.subtype).into()),
                ("throughput_per_minute", |row| row.throughput.into()),
                ("latency_avg_us", |row| row.latency_avg.into()),
                ("failed_rate", |row| row.failed_rate.into()),
                ("db_share", |row| row.db_share.into()),
            ],
        )
    };
    vec![
        calls,
        nodes("nodes", &map.nodes),
        nodes("alone", &map.alone),
    ]
}
