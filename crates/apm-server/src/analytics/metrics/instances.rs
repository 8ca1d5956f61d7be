//! A gauge by instance. Rollups of metrics do not tell instances apart, so that samples are read: they live as long as
//! events. Servers before one engine count some gauges by instance, and have the lines of all.

use std::collections::{BTreeMap, HashMap};

use apm_store::document;
use apm_store::event::MetricKind;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Text};

use super::super::Scope;
use super::super::sender::{self, Sender};
use super::super::series::Axis;
use super::super::sql::Sql;
use super::super::window::Window;
use super::lines::{Line, Sums, Together, line};
use super::{PROCESS_CPU, PROCESS_MEMORY, SYSTEM_CPU};

/// Samples that are read, the newest.
const MOST_SAMPLES: i64 = 200_000;

/// The label of an instance's line.
const LABEL: &str = "instance";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    resource: i64,
    #[diesel(sql_type = BigInt)]
    bucket: i64,
    #[diesel(sql_type = BigInt)]
    n: i64,
    #[diesel(sql_type = Double)]
    sum: f64,
    #[diesel(sql_type = Double)]
    min: f64,
    #[diesel(sql_type = Double)]
    max: f64,
    #[diesel(sql_type = BigInt)]
    samples: i64,
}

/// Lines of instances, and whether all samples were read.
pub(super) struct Instances {
    pub(super) lines: Vec<Line>,
    pub(super) are_all: bool,
}

/// The lines of a gauge by instance. `together`: the number that samples of one time and instance make.
pub(super) fn lines(
    conn: &mut SqliteConnection,
    scope: &Scope,
    metric: &str,
    together: Together,
    (window, axis): (&Window, &Axis),
) -> QueryResult<Instances> {
    let sql = window
        .bind(scope.bind(Sql::new(include_str!("instances.sql"))))
        .bind("metric", metric)
        .bind("together", together.word())
        .bind("most", MOST_SAMPLES);
    let rows: Vec<Row> = sql.load(conn)?;
    let samples: i64 = rows.iter().map(|row| row.samples).sum();
    let places = axis.places();
    let names = names(conn, &rows)?;
    let mut by_name: BTreeMap<&str, Sums> = BTreeMap::new();
    for row in &rows {
        let Some(place) = places.get(&row.bucket) else {
            continue;
        };
        // A process that began anew is the same instance.
        let name = names.get(&row.resource).map_or("", String::as_str);
        let sums = by_name
            .entry(name)
            .or_insert_with(|| Sums::new(axis.buckets.len()));
        let ends = (Some(row.min), Some(row.max));
        sums.add(*place, row.n as f64, row.sum, ends);
    }
    Ok(Instances {
        lines: lines_of(by_name, axis),
        are_all: samples < MOST_SAMPLES,
    })
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = Text)]
    node: String,
    #[diesel(sql_type = BigInt)]
    bucket: i64,
    #[diesel(sql_type = Double)]
    n: f64,
    #[diesel(sql_type = Double)]
    sum: f64,
}

/// The column of the counts of instances that a gauge has, where it has one.
pub(super) fn counted(metric: &str) -> Option<&'static str> {
    match metric {
        PROCESS_CPU => Some("cpu"),
        SYSTEM_CPU => Some("machine"),
        PROCESS_MEMORY => Some("memory"),
        _ => None,
    }
}

/// The query behind the lines of a gauge that all servers count.
pub(super) fn counted_sql(scope: &Scope, metric: &str, window: &Window) -> Sql {
    window
        .bind(scope.bind(Sql::new(include_str!("instances_of_all.sql"))))
        .bind("gauge", counted(metric).unwrap_or_default())
}

/// The lines of a gauge by instance, of all servers. Counts do not tell the least and the greatest value.
pub(super) fn lines_of_all(
    conn: &mut SqliteConnection,
    scope: &Scope,
    metric: &str,
    (window, axis): (&Window, &Axis),
) -> QueryResult<Vec<Line>> {
    let rows: Vec<Counted> = counted_sql(scope, metric, window).load(conn)?;
    let places = axis.places();
    let mut by_name: BTreeMap<&str, Sums> = BTreeMap::new();
    for row in &rows {
        if let Some(place) = places.get(&row.bucket) {
            let sums = by_name
                .entry(&row.node)
                .or_insert_with(|| Sums::new(axis.buckets.len()));
            sums.add(*place, row.n, row.sum, (None, None));
        }
    }
    Ok(lines_of(by_name, axis))
}

fn lines_of(by_name: BTreeMap<&str, Sums>, axis: &Axis) -> Vec<Line> {
    let lines = by_name.into_iter().map(|(name, sums)| {
        let labels = BTreeMap::from([(LABEL.to_owned(), name.to_owned())]);
        line(labels, MetricKind::Gauge, Together::Mean, &[&sums], axis)
    });
    lines.collect()
}

/// The names of instances by sender.
fn names(conn: &mut SqliteConnection, rows: &[Row]) -> QueryResult<HashMap<i64, String>> {
    let mut ids: Vec<i64> = rows.iter().map(|row| row.resource).collect();
    ids.sort_unstable();
    ids.dedup();
    let named = |of: Sender| (of.id, document::instance(&of.document).node);
    Ok(sender::read(conn, &ids)?.into_iter().map(named).collect())
}
