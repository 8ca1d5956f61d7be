//! One metric over time: a line for each of its series, or for groups of them.

use std::collections::{BTreeMap, HashMap};

use apm_store::event::MetricKind;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Integer, Nullable, Text};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::super::Scope;
use super::super::instances::Servers;
use super::super::series::Axis;
use super::super::sql::Sql;
use super::super::window::Window;
use super::instances;
use super::labels::{Label, labels};
use super::lines::{Line, Sums, Together, line};
use super::quantiles::{Quantile, quantiles};
use super::spread::{Spread, spread};
use crate::sort_rows::SortRows as _;

/// Series of one metric that are read. The store makes at most 500 of a metric of a service.
const MOST_SERIES: i64 = 1_000;

/// Lines that are told.
const MOST_LINES: usize = 40;

/// The way in which the series of a metric become lines.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Choice {
    /// The label that tells lines apart.
    pub split: Split,
    /// The only value of a label that counts.
    pub label: Option<(String, String)>,
    /// The number that several gauges of one line make.
    pub together: Together,
    /// The servers whose instances have lines, where they are told apart.
    pub servers: Servers,
}

impl Choice {
    /// Whether lines of instances are those of all servers: of gauges that these count by instance, and of their mean.
    pub(crate) fn are_of_all(&self, metric: &str) -> bool {
        self.servers == Servers::All
            && self.together == Together::Mean
            && instances::counted(metric).is_some()
    }
}

/// The labels that tell lines apart.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Split {
    /// All: each series has its line.
    #[default]
    All,
    /// None: there is one line.
    None,
    /// This one.
    By(String),
    /// The instance of the process; of gauges alone.
    Instance,
}

/// A metric over time.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
#[schemars(rename = "MetricChart")]
pub struct Chart {
    /// Its name.
    pub name: String,
    /// `gauge`, `counter`, `up_down_counter`, `histogram` or `summary`; null where it has no value in the window.
    pub kind: Option<&'static str>,
    /// The unit as it was sent, such as `By`; empty where none was. The values of a counter are per second.
    pub unit: String,
    /// Number of series that count.
    pub series: usize,
    /// Labels of all of its series, and their values.
    pub labels: Vec<Label>,
    /// The lines with the largest values first, at most 40.
    pub lines: Vec<Line>,
    /// Number of lines that are left out.
    pub more: usize,
    /// True if only the newest samples were read, as for lines of instances with very many.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_cut: bool,
    /// Quantiles of a summary, as they were sent, the greatest share first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quantiles: Vec<Quantile>,
    /// Percentiles and bars of a histogram, all its lines together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distribution: Option<Spread>,
}

#[derive(QueryableByName)]
struct SeriesRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Integer)]
    kind: i32,
    #[diesel(sql_type = Text)]
    unit: String,
    #[diesel(sql_type = Text)]
    labels: String,
}

#[derive(QueryableByName)]
struct CellRow {
    #[diesel(sql_type = BigInt)]
    series: i64,
    #[diesel(sql_type = BigInt)]
    bucket: i64,
    #[diesel(sql_type = Double)]
    count: f64,
    #[diesel(sql_type = Double)]
    sum: f64,
    #[diesel(sql_type = Nullable<Double>)]
    min: Option<f64>,
    #[diesel(sql_type = Nullable<Double>)]
    max: Option<f64>,
}

/// A metric of a scope by its name.
///
/// # Errors
/// Those of SQLite.
pub fn chart(
    conn: &mut SqliteConnection,
    scope: &Scope,
    metric: &str,
    choice: &Choice,
    window: &Window,
) -> QueryResult<Chart> {
    let sql = window
        .bind(scope.bind(Sql::new(include_str!("series.sql"))))
        .bind("metric", metric)
        .bind("most", MOST_SERIES);
    let mut rows: Vec<SeriesRow> = sql.load(conn)?;
    let mut chart = Chart {
        name: metric.to_owned(),
        kind: None,
        unit: String::new(),
        series: 0,
        labels: Vec::new(),
        lines: Vec::new(),
        more: 0,
        is_cut: false,
        quantiles: Vec::new(),
        distribution: None,
    };
    let is_quantile = |row: &mut SeriesRow| row.kind == MetricKind::Quantile as i32;
    let mut of_quantiles: Vec<SeriesRow> = rows.extract_if(.., is_quantile).collect();
    let Some(newest) = rows.first() else {
        return Ok(chart);
    };
    let (code, unit) = (newest.kind, newest.unit.clone());
    let Some(kind) = MetricKind::of_code(code) else {
        return Ok(chart);
    };
    // Values of another kind or unit make no common chart.
    rows.retain(|row| row.kind == code && row.unit == unit);
    of_quantiles.retain(|row| kind == MetricKind::Summary && row.unit == unit);
    let series = labelled(&rows);
    chart.kind = Some(kind.as_str());
    chart.unit = unit;
    chart.labels = labels(&series);
    let counts = |labels: &BTreeMap<String, String>| match &choice.label {
        Some((name, value)) => labels.get(name) == Some(value),
        None => true,
    };
    let series: Vec<_> = series
        .into_iter()
        .filter(|(_, labels)| counts(labels))
        .collect();
    chart.series = series.len();
    let axis = Axis::from(window);
    let is_gauge = matches!(kind, MetricKind::Gauge | MetricKind::UpDown);
    if is_gauge && choice.split == Split::Instance {
        let when = (window, &axis);
        if choice.are_of_all(metric) {
            chart.take(instances::lines_of_all(conn, scope, metric, when)?);
            return Ok(chart);
        }
        let found = instances::lines(conn, scope, metric, choice.together, when)?;
        chart.is_cut = !found.are_all;
        chart.take(found.lines);
        return Ok(chart);
    }
    let ids = ids(&series);
    let cells = cells(conn, &ids, window, &axis)?;
    let mut groups: BTreeMap<BTreeMap<String, String>, Vec<&Sums>> = BTreeMap::new();
    for (id, labels) in &series {
        if let Some(sums) = cells.get(id) {
            groups
                .entry(told_apart(labels, &choice.split))
                .or_default()
                .push(sums);
        }
    }
    let lines = groups
        .into_iter()
        .map(|(labels, sums)| line(labels, kind, choice.together, &sums, &axis));
    chart.take(lines.collect());
    if !of_quantiles.is_empty() {
        let series = labelled(&of_quantiles);
        let series: Vec<_> = series
            .into_iter()
            .filter(|(_, labels)| counts(labels))
            .collect();
        let cells = self::cells(conn, &self::ids(&series), window, &axis)?;
        let of = series
            .iter()
            .filter_map(|(id, labels)| Some((labels, cells.get(id)?)));
        chart.quantiles = quantiles(of, axis.buckets.len());
    }
    if kind == MetricKind::Histogram {
        chart.distribution = Some(spread(conn, &ids, window, &axis)?);
    }
    Ok(chart)
}

impl Chart {
    /// The lines with the largest values first.
    fn take(&mut self, mut lines: Vec<Line>) {
        lines.sort_rows_by(|a, b| b.weight().total_cmp(&a.weight()));
        self.more = lines.len().saturating_sub(MOST_LINES);
        lines.truncate(MOST_LINES);
        self.lines = lines;
    }
}

type Series = (i64, BTreeMap<String, String>);

fn labelled(rows: &[SeriesRow]) -> Vec<Series> {
    let read = |row: &SeriesRow| (row.id, read_labels(&row.labels));
    rows.iter().map(read).collect()
}

fn ids(series: &[Series]) -> String {
    serde_json::json!(series.iter().map(|(id, _)| id).collect::<Vec<_>>()).to_string()
}

/// The sums of each series by bucket.
fn cells(
    conn: &mut SqliteConnection,
    ids: &str,
    window: &Window,
    axis: &Axis,
) -> QueryResult<HashMap<i64, Sums>> {
    let places = axis.places();
    let sql = window
        .bind(Sql::new(include_str!("cells.sql")))
        .bind("ids", ids);
    let mut found: HashMap<i64, Sums> = HashMap::new();
    sql.each(conn, |row: CellRow| {
        let Some(place) = places.get(&row.bucket) else {
            return;
        };
        let sums = found
            .entry(row.series)
            .or_insert_with(|| Sums::new(axis.buckets.len()));
        sums.add(*place, row.count, row.sum, (row.min, row.max));
    })?;
    Ok(found)
}

/// Labels as texts. What is no object has none.
fn read_labels(text: &str) -> BTreeMap<String, String> {
    let labels: BTreeMap<String, Value> = serde_json::from_str(text).unwrap_or_default();
    let text = |value: Value| match value {
        Value::String(text) => text,
        value => value.to_string(),
    };
    labels
        .into_iter()
        .map(|(name, value)| (name, text(value)))
        .collect()
}

fn told_apart(labels: &BTreeMap<String, String>, split: &Split) -> BTreeMap<String, String> {
    match split {
        // Counters and distributions are kept for all instances together.
        Split::All | Split::Instance => labels.clone(),
        Split::None => BTreeMap::new(),
        Split::By(name) => {
            let value = labels.get(name).cloned().unwrap_or_default();
            BTreeMap::from([(name.clone(), value)])
        }
    }
}
