//! Numbers of transactions by result, over time. By `transaction.result`: some agents send no status for
//! an unhandled exception.

mod counts;

use std::collections::{BTreeMap, HashMap};

use apm_store::OTHER;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use schemars::JsonSchema;
use serde::Serialize;

use super::members::Members;
use super::series::{Axis, per_minute};
use super::sql::Sql;
use super::window::Window;
use super::{Scope, cache, latency};
use counts::Counts;

/// Series of a chart: nobody tells more lines apart. With more results, the last series is `_other`.
const MOST: usize = 20;

/// Results whose names are looked up; a service has few, so these are those of many services.
const MOST_LOOKED_UP: usize = 10_000;

/// Transactions with one result.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct ByResult {
    /// `transaction.result`, such as `HTTP 2xx`; may be empty.
    pub result: String,
    /// In the window.
    pub count: f64,
    /// Mean over the buckets, per minute: the legend's value.
    pub mean: f64,
    /// Per minute, a value for each of the axis's buckets.
    pub throughput: Vec<f64>,
}

/// The chart, results in order of their names.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
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

/// Counts of a window, by result.
type ByName = BTreeMap<String, Vec<f64>>;

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
    let slices = window.series_slices();
    let parts = cache::read::<Counts>(conn, (), &slices, Some(window.interval))?;
    let mut totals: HashMap<i64, f64> = HashMap::new();
    for (result, count) in parts.iter().flat_map(|(_, part)| own(part, &members)) {
        *totals.entry(result).or_default() += count;
    }
    let series = series_of(conn, &totals)?;
    let mut counts = ByName::new();
    for (start, part) in &parts {
        let at = usize::try_from((start - first).div_euclid(window.interval));
        let Some(at) = at.ok().filter(|at| *at < axis.buckets.len()) else {
            continue;
        };
        for (result, count) in own(part, &members) {
            let name = series.get(&result).map_or(OTHER, String::as_str);
            if !counts.contains_key(name) {
                counts.insert(name.to_owned(), vec![0.0; axis.buckets.len()]);
            }
            if let Some(sums) = counts.get_mut(name) {
                sums[at] += count;
            }
        }
    }
    let results = counts
        .into_iter()
        .map(|(result, counts)| {
            let count: f64 = counts.iter().sum();
            let rates = counts.iter().zip(&axis.buckets);
            ByResult {
                result,
                count,
                mean: count / window.minutes,
                throughput: rates
                    .map(|(count, bucket)| per_minute(*count, bucket))
                    .collect(),
            }
        })
        .collect();
    Ok(Throughput { axis, results })
}

/// Result and count of the transactions of members.
fn own<'a>(part: &'a Counts, members: &'a Members) -> impl Iterator<Item = (i64, f64)> + 'a {
    let own = |(group, result, count)| members.place(group).map(|_| (result, count));
    part.iter().filter_map(own)
}

/// The series that results are counted in, by id: those with most transactions have their own, the others are in none.
fn series_of(
    conn: &mut SqliteConnection,
    totals: &HashMap<i64, f64>,
) -> QueryResult<HashMap<i64, String>> {
    let mut ids: Vec<(i64, f64)> = totals.iter().map(|(id, count)| (*id, *count)).collect();
    ids.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    ids.truncate(MOST_LOOKED_UP);
    let list: Vec<i64> = ids.iter().map(|(id, _)| *id).collect();
    let rows: Vec<Name> = Sql::new(
        "SELECT v.id, v.value FROM json_each(:ids) i CROSS JOIN result v ON v.id = i.value",
    )
    .bind("ids", serde_json::to_string(&list).unwrap_or_default())
    .load(conn)?;
    let mut names: HashMap<i64, String> = rows.into_iter().map(|row| (row.id, row.value)).collect();
    // Transactions without a result, and those whose result is gone.
    let mut by_name: HashMap<String, (f64, Vec<i64>)> = HashMap::new();
    for (id, count) in ids {
        let of_name = by_name.entry(names.remove(&id).unwrap_or_default());
        let (sum, ids) = of_name.or_default();
        *sum += count;
        ids.push(id);
    }
    let mut by_name: Vec<(String, (f64, Vec<i64>))> = by_name.into_iter().collect();
    by_name.sort_unstable_by(|a, b| b.1.0.total_cmp(&a.1.0).then_with(|| a.0.cmp(&b.0)));
    if by_name.len() > MOST {
        by_name.truncate(MOST - 1);
    }
    let with_name = |(name, (_, ids)): (String, (f64, Vec<i64>))| {
        ids.into_iter().map(move |id| (id, name.clone()))
    };
    Ok(by_name.into_iter().flat_map(with_name).collect())
}
