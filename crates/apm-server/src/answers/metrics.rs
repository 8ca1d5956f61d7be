//! `/services/{service}/metrics`: CPU and memory, and any other metric by its name.

use diesel::SqliteConnection;
use schemars::JsonSchema;
use serde::Serialize;

use super::elsewhere::{self, Elsewhere};
use super::parameter::Parameter;
use super::parameter::shared::SERVICE;
use super::part::Part;
use super::period::Period;
use super::sourced::Sourced;
use super::{Address, Arguments, Problem, Question, Settings, Source, at};
use crate::analytics::Scope;
use crate::analytics::filter::List;
use crate::analytics::instances::Servers;
use crate::analytics::metrics::chart::{self, Chart, Choice, Split};
use crate::analytics::metrics::lines::Together;
use crate::analytics::metrics::panels::{self, Panel};
use crate::analytics::metrics::{self, Gauge, Metrics};
use crate::analytics::series::Axis;
use crate::analytics::window::Window;
use crate::csv::{Cell, Table};

const METRIC: Parameter = Parameter::text("metric", "A metric by its name: adds `chart`.");
const SPLIT: Parameter = Parameter::text(
    "split",
    "The label that tells the lines of `chart` apart; `none` for one line, `all` for a line of each series, which is \
     the default; `@instance` for a line of each instance of the service, which gauges have, without `label`.",
);
const LABEL: Parameter = Parameter::text(
    "label",
    "The only series that count: `name=value` of a label of theirs.",
);
const TOGETHER: Parameter = Parameter::word(
    "together",
    &["mean", "sum", "min", "max"],
    "The number that several gauges of one line make. Default `mean`.",
);
const NAMES_AFTER: Parameter = Parameter::text(
    "names_after",
    "The names begin after this one: `next` of the answer before.",
);

/// The words for what a page under a filter lacks where there are other servers.
const MEMORY_ONLY_HERE: &str =
    "Memory in use under a filter is read from samples: here are those that this server got.";

/// The same with lines of instances.
const INSTANCES_ONLY_HERE: &str =
    "These lines of instances are read from samples: here are those that this server got.";

/// The question.
#[derive(Debug)]
pub(crate) struct Params {
    pub(crate) service: String,
    scope: Scope,
    metric: Option<String>,
    pub(crate) choice: Choice,
    names_after: String,
    period: Period,
}

/// Metrics of a service.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MetricsOfService")]
pub(crate) struct Answer {
    #[serde(flatten)]
    pub(crate) now: Metrics,
    /// The statements that read them.
    #[serde(skip)]
    pub(crate) sql: Vec<String>,
    /// The agent that could send some; empty where there are some, and where none is known.
    #[serde(skip)]
    pub(crate) agent: String,
    /// Charts of the runtimes whose metrics are there.
    pub(crate) panels: Sourced<Vec<Panel>>,
    /// The metric that `metric` names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) chart: Option<Sourced<Chart>>,
    /// The same of the earlier window.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<Previous>,
    /// Says what is read from samples of here alone, where there are other servers.
    #[serde(skip)]
    pub(crate) elsewhere: Elsewhere,
}

/// Gauges of the earlier window.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MetricsBefore")]
struct Previous {
    #[serde(flatten)]
    metrics: Metrics,
    /// The metric that `metric` names.
    #[serde(skip_serializing_if = "Option::is_none")]
    chart: Option<Chart>,
}

impl Question for Params {
    type Answer = Answer;
    const ADDRESS: Address = at!("/services/{service}/metrics");
    const SUMMARY: &'static str = "Metrics of a service";
    const TABLES: &'static [&'static str] = &["gauges", "panels", "metric"];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        Ok(Self {
            service: arguments.segment(&SERVICE).to_owned(),
            scope: arguments.service_scope(List::Metrics)?,
            metric: arguments.owned(&METRIC)?,
            choice: choice(arguments)?,
            names_after: arguments.owned(&NAMES_AFTER)?.unwrap_or_default(),
            period: Period::optional(arguments)?,
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        let conn = &mut *source.conn;
        let period = self.period.stored(conn)?;
        let (scope, window) = (&self.scope, &period.window);
        let servers = elsewhere::servers_of(source.settings, scope);
        let choice = Choice {
            servers,
            ..self.choice.clone()
        };
        let now = Sourced::read(conn, |conn| {
            metrics::page(conn, scope, window, (&self.names_after, servers))
        })?;
        let (now, sql) = now.into_parts();
        let agent = match now.names.is_empty() {
            true => metrics::agent(conn, scope)?,
            false => String::new(),
        };
        let panels = Sourced::read(conn, |conn| panels::panels(conn, scope, window))?;
        let chart = match &self.metric {
            Some(name) => Some(Sourced::read(conn, |conn| {
                chart::chart(conn, scope, name, &choice, window)
            })?),
            None => None,
        };
        let previous = match &period.before {
            Some(window) => Some(self.previous(conn, window, &choice)?),
            None => None,
        };
        Ok(Answer {
            now,
            sql,
            agent,
            panels,
            chart,
            previous,
            elsewhere: self.elsewhere(source.settings, &choice),
        })
    }

    /// The files of a metric and of panels have at most so many lines of all, each with a row for every bucket.
    fn part_of(answer: &Answer, table: &str) -> Option<Part> {
        let part = |shown: usize, more: usize| Part::of(shown, (shown + more) as u64);
        match table {
            "metric" => {
                let chart = answer.chart.as_ref()?;
                Some(part(chart.lines.len(), chart.more))
            }
            "panels" => {
                let panels = answer.panels.iter();
                let counts = panels.map(|panel| (panel.lines.len(), panel.more));
                let (shown, more) = counts.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
                Some(part(shown, more))
            }
            _ => None,
        }
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        let now = &answer.now;
        let mut rows = Vec::new();
        let gauges = [&now.system_cpu, &now.process_cpu, &now.memory];
        for gauge in gauges {
            rows.extend(points(&now.axis, gauge));
        }
        let panels = answer.panels.iter().flat_map(|panel| {
            let lines = panel.lines.iter();
            lines.flat_map(|line| {
                let first = [panel.runtime, panel.title, &line.name]
                    .map(Cell::from)
                    .to_vec();
                values(&now.axis, first, &line.values)
            })
        });
        let lines = answer.chart.iter().flat_map(|chart| {
            let lines = chart.lines.iter();
            lines.flat_map(|line| {
                let labels = serde_json::json!(line.labels).to_string();
                values(
                    &now.axis,
                    vec![(&chart.name).into(), (&labels).into()],
                    &line.values,
                )
            })
        });
        let quantiles = answer.chart.iter().flat_map(|chart| {
            let quantiles = chart.quantiles.iter();
            quantiles.flat_map(|one| {
                let labels = serde_json::json!({"quantile": one.quantile}).to_string();
                let first = vec![(&chart.name).into(), (&labels).into()];
                values(&now.axis, first, &one.values)
            })
        });
        let table = |name, columns: &[&'static str], rows| Table {
            name,
            columns: columns.iter().map(|column| (*column).into()).collect(),
            rows,
        };
        vec![
            table("gauges", &["metric", "time_utc", "avg", "min", "max"], rows),
            table(
                "panels",
                &["runtime", "panel", "line", "time_utc", "value"],
                panels.collect(),
            ),
            table(
                "metric",
                &["metric", "labels", "time_utc", "value"],
                lines.chain(quantiles).collect(),
            ),
        ]
    }
}

/// A row for each bucket of a gauge.
fn points<'a>(axis: &'a Axis, gauge: &'a Gauge) -> impl Iterator<Item = Vec<Cell>> + 'a {
    axis.buckets.iter().enumerate().map(|(place, bucket)| {
        let value = |list: &[Option<f64>]| list.get(place).copied().flatten().into();
        vec![
            (&gauge.name).into(),
            Cell::second(bucket.start),
            value(&gauge.avg),
            value(&gauge.min),
            value(&gauge.max),
        ]
    })
}

/// A row for each bucket of a line, which begins with some cells.
fn values<'a>(
    axis: &'a Axis,
    first: Vec<Cell>,
    values: &'a [Option<f64>],
) -> impl Iterator<Item = Vec<Cell>> + 'a {
    let buckets = axis.buckets.iter().zip(values);
    buckets.map(move |(bucket, value)| {
        let rest = [Cell::second(bucket.start), (*value).into()];
        first.iter().cloned().chain(rest).collect()
    })
}

/// The way in which a metric's series become lines.
fn choice(arguments: &Arguments) -> Result<Choice, Problem> {
    let split = match arguments.get(&SPLIT)? {
        None | Some("all") => Split::All,
        Some("none") => Split::None,
        Some("@instance") => Split::Instance,
        Some(name) => Split::By(name.to_owned()),
    };
    let label = match arguments.get(&LABEL)? {
        None => None,
        Some(text) => {
            let (name, value) = text.split_once('=').ok_or_else(|| Problem::Parameter {
                parameter: LABEL.name,
                problem: "it is no `name=value`".to_owned(),
            })?;
            Some((name.to_owned(), value.to_owned()))
        }
    };
    if split == Split::Instance && label.is_some() {
        return Err(Problem::Parameter {
            parameter: LABEL.name,
            problem: "instances are told apart for all series together: leave it out".to_owned(),
        });
    }
    let together = match arguments.word(&TOGETHER)? {
        Some("sum") => Together::Sum,
        Some("min") => Together::Min,
        Some("max") => Together::Max,
        _ => Together::Mean,
    };
    Ok(Choice {
        split,
        label,
        together,
        servers: Servers::default(),
    })
}

impl Params {
    /// Tells which part is of this server alone.
    fn elsewhere(&self, settings: &Settings, choice: &Choice) -> Elsewhere {
        let mut elsewhere = Elsewhere::of(settings);
        if choice.servers == Servers::This {
            elsewhere.leaves_out(MEMORY_ONLY_HERE);
        }
        let are_instances = choice.split == Split::Instance;
        let is_here = |metric: &String| !choice.are_of_all(metric);
        if are_instances && self.metric.as_ref().is_some_and(is_here) {
            elsewhere.leaves_out(INSTANCES_ONLY_HERE);
        }
        elsewhere
    }

    fn previous(
        &self,
        conn: &mut SqliteConnection,
        window: &Window,
        choice: &Choice,
    ) -> Result<Previous, Problem> {
        let (scope, page) = (&self.scope, (&*self.names_after, choice.servers));
        let metrics = metrics::page(conn, scope, window, page)?;
        let one = |name: &String| chart::chart(conn, scope, name, choice, window);
        let chart = self.metric.as_ref().map(one).transpose()?;
        Ok(Previous { metrics, chart })
    }
}
