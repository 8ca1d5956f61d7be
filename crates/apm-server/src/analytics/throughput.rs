//! Numbers of transactions by result, over time. By `transaction.result`: some agents send no status for
//! an unhandled exception.

mod counts;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use apm_store::OTHER;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use schemars::JsonSchema;
use serde::Serialize;

use super::members::Members;
use super::series::{Axis, per_minute};
use super::sql::Sql;
use super::window::Window;
use super::{Scope, cache, latency, total};
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
    let parts: Vec<(i64, Arc<Counts>)> = match members.scanned() {
        Some(scanned) => {
            let rows = scanned.within(&slices, Some(window.interval));
            rows.map(|(start, row)| (start, Arc::new(Counts::from_row(row))))
                .collect()
        }
        None => cache::read::<Counts>(conn, (), &slices, Some(window.interval))?,
    };
    let at = |start: i64| {
        let at = usize::try_from((start - first).div_euclid(window.interval)).ok()?;
        (at < axis.buckets.len()).then_some(at)
    };
    let parts = parts.iter().map(|(start, part)| (at(*start), part));
    let by_result = by_result(parts, &members);
    let series = series_of(conn, &by_result)?;
    let mut counts = ByName::new();
    for (result, line) in &by_result {
        let name = series.get(result).map_or(OTHER, String::as_str);
        if !counts.contains_key(name) {
            counts.insert(name.to_owned(), vec![0.0; axis.buckets.len()]);
        }
        if let Some(sums) = counts.get_mut(name) {
            for (at, count) in &line.places {
                sums[*at] += count;
            }
        }
    }
    let results = counts
        .into_iter()
        .map(|(result, counts)| {
            let count = total(&counts);
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

/// The counts of one result.
#[derive(Default)]
struct Line {
    total: f64,
    /// Those of the buckets of the axis that it is in, in order: of many results, most are in few buckets.
    places: Vec<(usize, f64)>,
}

/// The counts of the transactions of members, by result. Parts come with the places of their buckets, in order.
fn by_result<'a>(
    parts: impl Iterator<Item = (Option<usize>, &'a Arc<Counts>)>,
    members: &Members,
) -> Vec<(i64, Line)> {
    let mut numbers: HashMap<i64, usize> = HashMap::new();
    let mut lines: Vec<(i64, Line)> = Vec::new();
    // Rows of one group come one after the other, and so, most of the time, do those of one result.
    let mut group_before = None;
    let mut result_before = None;
    for (at, part) in parts {
        for (group, result, count) in part.iter() {
            let is_own = match group_before {
                Some((before, is_own)) if before == group => is_own,
                _ => members.place(group).is_some(),
            };
            group_before = Some((group, is_own));
            if !is_own {
                continue;
            }
            let number = match result_before {
                Some((before, number)) if before == result => number,
                _ => *numbers.entry(result).or_insert_with(|| {
                    lines.push((result, Line::default()));
                    lines.len() - 1
                }),
            };
            result_before = Some((result, number));
            let (_, line) = &mut lines[number];
            line.total += count;
            let Some(at) = at else {
                continue;
            };
            match line.places.last_mut() {
                Some((last, sum)) if *last == at => *sum += count,
                _ => line.places.push((at, count)),
            }
        }
    }
    lines
}

/// The series that results are counted in, by id: those with most transactions have their own, the others are in none.
fn series_of(
    conn: &mut SqliteConnection,
    lines: &[(i64, Line)],
) -> QueryResult<HashMap<i64, String>> {
    let mut ids: Vec<(i64, f64)> = lines.iter().map(|(id, line)| (*id, line.total)).collect();
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
    // One place is left for `_other`.
    if by_name.len() > MOST {
        by_name.truncate(MOST - 1);
    }
    let with_name = |(name, (_, ids)): (String, (f64, Vec<i64>))| {
        ids.into_iter().map(move |id| (id, name.clone()))
    };
    Ok(by_name.into_iter().flat_map(with_name).collect())
}
