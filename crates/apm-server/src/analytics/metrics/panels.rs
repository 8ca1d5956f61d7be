//! Charts of a runtime, which are there where its metrics are.
//!
//! A line names the metrics that it may be read from, those of OpenTelemetry's conventions and those of Elastic's
//! agents: of these, the first that has values.

mod table;

use std::collections::HashMap;

use diesel::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::Scope;
use super::super::sql;
use super::super::window::Window;
use super::chart::{Chart, Choice, Split, chart};
use super::lines::Together;
use super::listed;

/// Lines of one panel.
const MOST_LINES: usize = 6;
/// Statements of one panel that are told of.
const MOST_SQL: usize = 8;

/// A chart of a runtime.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
#[schemars(rename = "MetricPanel")]
pub struct Panel {
    /// The runtime: `JVM`, `Go`, `Node.js`, `Python`, `.NET`, `Tokio`, `Container` or `Process`.
    pub runtime: &'static str,
    /// Its title.
    pub title: &'static str,
    /// The unit of its values as it was sent; empty where none was.
    pub unit: String,
    /// Whether its values are what was added in a second.
    pub is_rate: bool,
    /// A metric of it, by which a unit that was not sent may be known.
    pub metric: String,
    /// Its lines, of those of one label at most six.
    pub lines: Vec<PanelLine>,
    /// Number of lines that are left out: those with the smallest values.
    pub more: usize,
    /// The label whose values the lines are, where one tells them apart.
    pub by: Option<&'static str>,
    /// The statements that read it, as the console takes them.
    #[serde(skip)]
    pub sql: Vec<String>,
}

/// A line of a panel; a value for each of the axis's buckets, nothing where no sample fell into it.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
#[schemars(rename = "MetricPanelLine")]
pub struct PanelLine {
    /// Its name.
    pub name: String,
    /// The metric that it was read from.
    pub metric: String,
    /// Its values.
    pub values: Vec<Option<f64>>,
}

/// A chart as the table has it.
#[derive(Debug)]
struct Wanted {
    runtime: &'static str,
    title: &'static str,
    lines: &'static [WantedLine],
}

/// A line as the table has it. Its values are those of gauges, or what a counter added in a second.
#[derive(Debug)]
struct WantedLine {
    /// Its name; of several lines, that of the label stands for it.
    name: &'static str,
    /// Metrics, of which the first that has values counts.
    metrics: &'static [&'static str],
    /// The only value of a label that counts.
    only: Option<(&'static str, &'static str)>,
    /// The labels, by the first of which that it has there is a line for each value.
    by: &'static [&'static str],
}

/// The panels of the metrics that are there.
///
/// # Errors
/// Those of SQLite.
pub fn panels(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
) -> QueryResult<Vec<Panel>> {
    let lines = table::PANELS.iter().flat_map(|wanted| wanted.lines);
    let names: Vec<&str> = lines.flat_map(|line| line.metrics).copied().collect();
    let there = listed::there(conn, scope, window, &names)?;
    let mut read: HashMap<&str, (Chart, Vec<String>)> = HashMap::new();
    let mut panels = Vec::new();
    for wanted in table::PANELS {
        let mut panel: Option<Panel> = None;
        for line in wanted.lines {
            let found = line.metrics.iter().find(|metric| there.contains(**metric));
            let Some(metric) = found else { continue };
            // The labels of a metric are known when it was read.
            let (whole, sql) = match read.get(metric) {
                Some(whole) => whole.clone(),
                None => {
                    let choice = Choice::default();
                    let (chart, sql) =
                        sql::recorded(|| chart(conn, scope, metric, &choice, window));
                    let whole = (chart?, sql);
                    read.insert(metric, whole.clone());
                    whole
                }
            };
            let by = told_apart_by(line, &whole);
            let (chart, more) =
                sql::recorded(|| narrowed(conn, scope, (metric, line, by), whole, window));
            let chart = chart?;
            let panel = panel.get_or_insert_with(|| Panel {
                runtime: wanted.runtime,
                title: wanted.title,
                unit: chart.unit.clone(),
                is_rate: chart.kind == Some("counter"),
                metric: (*metric).to_owned(),
                lines: Vec::new(),
                more: 0,
                by: None,
                sql: Vec::new(),
            });
            // Values of another unit make no common chart.
            if panel.unit != chart.unit || panel.is_rate != (chart.kind == Some("counter")) {
                continue;
            }
            // Those that read its lines: of the whole metric only where it was not read again in parts.
            let new = if more.is_empty() { sql } else { more };
            for text in new {
                if panel.sql.len() < MOST_SQL && !panel.sql.contains(&text) {
                    panel.sql.push(text);
                }
            }
            let room = MOST_LINES.saturating_sub(panel.lines.len());
            panel.more += chart.lines.len().saturating_sub(room) + chart.more;
            panel.by = panel.by.or(by);
            panel
                .lines
                .extend(chart.lines.into_iter().take(room).map(|found| {
                    PanelLine {
                        name: found
                            .labels
                            .into_values()
                            .next()
                            .filter(|name| !name.is_empty())
                            .unwrap_or_else(|| line.name.to_owned()),
                        metric: (*metric).to_owned(),
                        values: found.values,
                    }
                }));
        }
        panels.extend(panel.filter(|panel| {
            let mut values = panel.lines.iter().flat_map(|line| &line.values);
            values.any(Option::is_some)
        }));
    }
    Ok(panels)
}

fn has(chart: &Chart, name: &str) -> bool {
    chart.labels.iter().any(|label| label.name == name)
}

/// The label of a metric by which there is a line for each value.
fn told_apart_by(line: &WantedLine, whole: &Chart) -> Option<&'static str> {
    line.by.iter().find(|name| has(whole, name)).copied()
}

/// The lines that are wanted of a metric.
fn narrowed(
    conn: &mut SqliteConnection,
    scope: &Scope,
    (metric, line, by): (&str, &WantedLine, Option<&str>),
    whole: Chart,
    window: &Window,
) -> QueryResult<Chart> {
    let choice = Choice {
        split: by.map_or(Split::None, |name| Split::By(name.to_owned())),
        label: line
            .only
            .filter(|(name, _)| has(&whole, name))
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        // Parts of one thing, such as pools of memory, make it up.
        together: Together::Sum,
        ..Choice::default()
    };
    if whole.series <= 1 && choice.label.is_none() && by.is_none() {
        let mut whole = whole;
        whole.lines.iter_mut().for_each(|line| line.labels.clear());
        return Ok(whole);
    }
    chart(conn, scope, metric, &choice, window)
}
