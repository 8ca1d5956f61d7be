//! `/services/{service}/metrics`: CPU and memory, and any other metric by its name.

use schemars::JsonSchema;
use serde::Serialize;

use super::parameter::Parameter;
use super::parameter::shared::SERVICE;
use super::period::Period;
use super::sourced::Sourced;
use super::{Address, Asked, Problem, Question, Source, at};
use crate::analytics::Scope;
use crate::analytics::filter::List;
use crate::analytics::metrics::{self, Gauge, Metrics};
use crate::analytics::series::Axis;
use crate::analytics::window::Window;
use crate::csv::{Cell, Table};

const METRIC: Parameter = Parameter::text("metric", "A metric by its name: adds `gauge`.");
const NAMES_AFTER: Parameter = Parameter::text(
    "names_after",
    "The names begin after this one: `next` of the answer before.",
);

/// The question.
#[derive(Debug)]
pub(crate) struct Params {
    pub(crate) service: String,
    scope: Scope,
    metric: Option<String>,
    names_after: String,
    period: Period,
}

/// Gauges of a service.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MetricsOfService")]
pub(crate) struct Answer {
    #[serde(flatten)]
    pub(crate) now: Metrics,
    /// The statements that read them.
    #[serde(skip)]
    pub(crate) sql: Vec<String>,
    /// The metric that `metric` names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gauge: Option<Sourced<Gauge>>,
    /// The same of the earlier window.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<Previous>,
}

/// Gauges of the earlier window.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MetricsBefore")]
struct Previous {
    #[serde(flatten)]
    metrics: Metrics,
    /// The metric that `metric` names.
    #[serde(skip_serializing_if = "Option::is_none")]
    gauge: Option<Gauge>,
}

impl Question for Params {
    type Answer = Answer;
    const ADDRESS: Address = at!("/services/{service}/metrics");
    const SUMMARY: &'static str = "Gauges of a service";
    const TABLES: &'static [&'static str] = &["gauges"];

    fn read(asked: &Asked) -> Result<Self, Problem> {
        Ok(Self {
            service: asked.segment(&SERVICE).to_owned(),
            scope: asked.service_scope(List::Metrics)?,
            metric: asked.owned(&METRIC)?,
            names_after: asked.owned(&NAMES_AFTER)?.unwrap_or_default(),
            period: Period::optional(asked)?,
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        let conn = &mut *source.conn;
        let period = self.period.stored(conn)?;
        let (scope, window) = (&self.scope, &period.window);
        let now = Sourced::read(conn, |conn| {
            metrics::page(conn, scope, window, &self.names_after)
        })?;
        let (now, sql) = now.into_parts();
        let gauge = match &self.metric {
            Some(name) => Some(Sourced::read(conn, |conn| {
                Ok::<_, Problem>(metrics::by_name(conn, scope, name, window)?.gauge)
            })?),
            None => None,
        };
        let previous = match &period.before {
            Some(window) => Some(self.previous(source, window)?),
            None => None,
        };
        Ok(Answer {
            now,
            sql,
            gauge,
            previous,
        })
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        let now = &answer.now;
        let mut rows = Vec::new();
        let gauges = [&now.system_cpu, &now.process_cpu, &now.memory];
        for gauge in gauges.into_iter().chain(answer.gauge.as_deref()) {
            rows.extend(points(&now.axis, gauge));
        }
        vec![Table {
            name: "gauges",
            columns: ["metric", "time_utc", "avg", "min", "max"]
                .map(Into::into)
                .to_vec(),
            rows,
        }]
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

impl Params {
    fn previous(&self, source: &mut Source<'_>, window: &Window) -> Result<Previous, Problem> {
        let (conn, scope) = (&mut *source.conn, &self.scope);
        let metrics = metrics::page(conn, scope, window, &self.names_after)?;
        let one = |name: &String| metrics::by_name(conn, scope, name, window);
        let gauge = self.metric.as_ref().map(one).transpose()?;
        Ok(Previous {
            metrics,
            gauge: gauge.map(|one| one.gauge),
        })
    }
}
