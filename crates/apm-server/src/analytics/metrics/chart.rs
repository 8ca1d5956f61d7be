//! One metric over time: a line for each of its series, or for groups of them.

use std::collections::{BTreeMap, HashMap};

use apm_store::event::MetricKind;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Integer, Nullable, Text};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::super::Scope;
use super::super::series::Axis;
use super::super::sql::Sql;
use super::super::window::Window;
use super::labels::{Label, labels};
use super::lines::{Line, Sums, Together, line};
use super::spread::{Spread, spread};

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
        distribution: None,
    };
    let Some(newest) = rows.first() else {
        return Ok(chart);
    };
    let (code, unit) = (newest.kind, newest.unit.clone());
    let Some(kind) = MetricKind::of_code(code) else {
        return Ok(chart);
    };
    // Values of another kind or unit make no common chart.
    rows.retain(|row| row.kind == code && row.unit == unit);
    let series: Vec<(i64, BTreeMap<String, String>)> = rows
        .iter()
        .map(|row| (row.id, read_labels(&row.labels)))
        .collect();
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
    let ids = serde_json::json!(series.iter().map(|(id, _)| id).collect::<Vec<_>>()).to_string();
    let axis = Axis::from(window);
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
    let mut lines: Vec<Line> = groups
        .into_iter()
        .map(|(labels, sums)| line(labels, kind, choice.together, &sums, &axis))
        .collect();
    lines.sort_by(|a, b| b.weight().total_cmp(&a.weight()));
    chart.more = lines.len().saturating_sub(MOST_LINES);
    lines.truncate(MOST_LINES);
    chart.lines = lines;
    if kind == MetricKind::Histogram {
        chart.distribution = Some(spread(conn, &ids, window, &axis)?);
    }
    Ok(chart)
}

/// The sums of each series by bucket.
fn cells(
    conn: &mut SqliteConnection,
    ids: &str,
    window: &Window,
    axis: &Axis,
) -> QueryResult<HashMap<i64, Sums>> {
    let places: HashMap<i64, usize> = axis
        .buckets
        .iter()
        .enumerate()
        .map(|(place, bucket)| (bucket.start, place))
        .collect();
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
        Split::All => labels.clone(),
        Split::None => BTreeMap::new(),
        Split::By(name) => {
            let value = labels.get(name).cloned().unwrap_or_default();
            BTreeMap::from([(name.clone(), value)])
        }
    }
}
