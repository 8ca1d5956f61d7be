//! How many transactions ended how, over time. By `transaction.result`: some agents send no status for
//! an unhandled exception.

mod counts;

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use serde::Serialize;

use super::series::{Axis, per_minute};
use super::sql::Sql;
use super::window::Window;
use super::{Scope, kept, latency};
use counts::Counts;

/// Transactions with one result.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ByResult {
    /// `transaction.result`, such as `HTTP 2xx`; may be empty.
    pub result: String,
    /// In the window.
    pub count: f64,
    /// Mean over the buckets, per minute: the legend's value (reference/ui.md 4.2).
    pub mean: f64,
    /// Per minute, a value for each of the axis's buckets.
    pub throughput: Vec<f64>,
}

/// The chart, results in order of their names.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Throughput {
    /// The buckets.
    pub axis: Axis,
    /// The series.
    pub results: Vec<ByResult>,
}

/// The text of a result.
#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    value: String,
}

/// The query behind the chart.
#[must_use]
pub fn sql(scope: &Scope, window: &Window) -> Sql {
    window.bind(scope.bind(Sql::new(include_str!("throughput.sql"))))
}

/// The chart of whatever the scope holds.
///
/// # Errors
/// Those of SQLite.
pub fn chart(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
) -> QueryResult<Throughput> {
    let axis = Axis::from(window);
    let members = latency::members(conn, scope, window)?;
    let first = axis.buckets.first().map_or(0, |bucket| bucket.start);
    let mut counts: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    let slices = window.series_slices();
    for (start, part) in kept::read::<Counts>(conn, (), &slices, Some(window.interval))? {
        let Ok(at) = usize::try_from((start - first).div_euclid(window.interval)) else {
            continue;
        };
        for (group, result, count) in part.iter() {
            if members.place(group).is_some() {
                let sums = counts.entry(result);
                let sums = sums.or_insert_with(|| vec![0.0; axis.buckets.len()]);
                if let Some(sum) = sums.get_mut(at) {
                    *sum += count;
                }
            }
        }
    }
    let ids: Vec<i64> = counts.keys().copied().collect();
    let names: Vec<Name> = Sql::new(
        "SELECT v.id, v.value FROM json_each(:ids) i CROSS JOIN result v ON v.id = i.value",
    )
    .bind("ids", serde_json::to_string(&ids).unwrap_or_default())
    .load(conn)?;
    let mut names: HashMap<i64, String> =
        names.into_iter().map(|row| (row.id, row.value)).collect();
    let mut results: Vec<ByResult> = counts
        .into_iter()
        .map(|(id, counts)| {
            let count: f64 = counts.iter().sum();
            let rates = counts.iter().zip(&axis.buckets);
            ByResult {
                result: names.remove(&id).unwrap_or_default(),
                count,
                mean: count / window.minutes,
                throughput: rates
                    .map(|(count, bucket)| per_minute(*count, bucket))
                    .collect(),
            }
        })
        .collect();
    results.sort_unstable_by(|a, b| a.result.cmp(&b.result));
    Ok(Throughput { axis, results })
}
