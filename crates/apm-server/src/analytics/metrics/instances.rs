//! A gauge by instance. Rollups do not tell instances apart, so that samples are read: they live as long as events.

use std::collections::{BTreeMap, HashMap};

use apm_store::event::MetricKind;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double};

use super::super::Scope;
use super::super::sender::{self, Sender};
use super::super::series::Axis;
use super::super::sql::Sql;
use super::super::window::Window;
use super::lines::{Line, Sums, Together, line};

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
    let lines = by_name.into_iter().map(|(name, sums)| {
        let labels = BTreeMap::from([(LABEL.to_owned(), name.to_owned())]);
        line(labels, MetricKind::Gauge, Together::Mean, &[&sums], axis)
    });
    Ok(Instances {
        lines: lines.collect(),
        are_all: samples < MOST_SAMPLES,
    })
}

/// The names of instances by sender.
fn names(conn: &mut SqliteConnection, rows: &[Row]) -> QueryResult<HashMap<i64, String>> {
    let mut ids: Vec<i64> = rows.iter().map(|row| row.resource).collect();
    ids.sort_unstable();
    ids.dedup();
    let named = |of: Sender| {
        let document = sender::described(&of.document);
        (of.id, sender::node(&document))
    };
    Ok(sender::read(conn, &ids)?.into_iter().map(named).collect())
}
