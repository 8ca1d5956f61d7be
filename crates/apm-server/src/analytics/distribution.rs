//! The distribution of durations: the histogram that a reader brushes over.

use diesel::deserialize;
use diesel::prelude::*;
use diesel::row::NamedRow;
use diesel::sql_types::{BigInt, Bool, Double};
use diesel::sqlite::Sqlite;
use foldhash::HashMap;
use schemars::JsonSchema;
use serde::Serialize;

use super::percentile::{self, Percentiles};
use super::sql::{Sql, column};
use super::window::Window;
use super::{Scope, latency, total, totals};

/// Buckets of the logarithmic form.
const LOG_BUCKETS: u32 = 100;
/// Buckets of the linear form.
const LINEAR_BUCKETS: i64 = 27;
/// Narrowest bucket of the linear form, µs.
const NARROWEST: i64 = 15;

/// The scale of the duration axis.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Equal ratios: 100 buckets from the shortest to twice the longest.
    #[default]
    Log,
    /// Equal widths: 27 buckets from 0 past the longest.
    Linear,
}

/// A bucket `[from, to)`, µs.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema, Serialize)]
pub struct Bar {
    /// Shortest duration, µs.
    pub from: i64,
    /// First duration of the next bucket, µs.
    pub to: i64,
    /// Transactions.
    pub count: f64,
    /// Those of them that failed.
    pub failed: f64,
}

/// The histogram of a transaction group.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Distribution {
    /// The scale of the axis.
    pub scale: Scale,
    /// The buckets, without gaps; empty ones too.
    pub bars: Vec<Bar>,
    /// Transactions in the window.
    pub count: f64,
    /// The percentiles, µs.
    pub percentiles: Option<Percentiles>,
    /// Whether durations are as measured; otherwise they are within 1 %.
    pub exact: bool,
}

/// The number of requests that a stored one stands for, in the text that reads them.
const WEIGHT: &str = "coalesce(t.weight, 1.0) / coalesce(t.sample_rate, 1.0)";

/// A request as it is stored.
struct Request {
    /// µs
    duration: i64,
    failed: bool,
    /// The number of requests that it stands for.
    count: f64,
}

impl QueryableByName<Sqlite> for Request {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> deserialize::Result<Self> {
        Ok(Self {
            duration: column::<BigInt, _>(row, 0, "duration")?,
            failed: column::<Bool, _>(row, 1, "failed")?,
            count: column::<Double, _>(row, 2, "count")?,
        })
    }
}

/// A duration and how many took it.
#[derive(Debug, Clone, Copy, QueryableByName)]
struct Value {
    #[diesel(sql_type = Double)]
    value: f64,
    #[diesel(sql_type = Double)]
    count: f64,
    #[diesel(sql_type = Double)]
    failed: f64,
}

/// The query behind the histogram, in its exact or its rollup form.
pub(super) fn sql(scope: &Scope, window: &Window, exact: bool) -> Sql {
    let text = if exact {
        include_str!("distribution/exact.sql")
    } else {
        include_str!("distribution/histogram.sql")
    };
    let sql = Sql::new(text);
    // All requests of a window are counted one by one only where all are stored and each stands for itself: those that
    // stand for others do not make up for those that are gone.
    let sql = match scope.scanned {
        None => sql.replace(WEIGHT, "1.0").kept(),
        Some(_) => sql,
    };
    window.bind(scope.bind(sql))
}

/// The histogram of whatever the scope holds.
///
/// # Errors
/// Those of SQLite.
pub fn chart(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
    scale: Scale,
) -> QueryResult<Distribution> {
    if scope.scanned.is_some() {
        return of_requests(conn, &sql(scope, window, true), scale);
    }
    let total = latency::total(conn, scope, window)?;
    if let Some(rows) = percentile::ranked(total.count, total.n) {
        let found = of_requests(conn, &sql(scope, window, true), scale)?;
        // Rows go before rollups do.
        if found.count >= rows as f64 {
            return Ok(found);
        }
    }
    read(conn, &sql(scope, window, false), scale, &total)
}

/// The histogram of requests that a query gives in any order.
fn of_requests(conn: &mut SqliteConnection, sql: &Sql, scale: Scale) -> QueryResult<Distribution> {
    let mut sums: HashMap<i64, Value> = HashMap::default();
    sql.each(conn, |request: Request| {
        let sum = sums.entry(request.duration).or_insert_with(|| Value {
            value: request.duration as f64,
            count: 0.0,
            failed: 0.0,
        });
        sum.count += request.count;
        if request.failed {
            sum.failed += request.count;
        }
    })?;
    let mut values: Vec<Value> = sums.into_values().collect();
    values.sort_unstable_by(|a, b| a.value.total_cmp(&b.value));
    Ok(Distribution::new(
        &values,
        scale,
        percentiles(&values),
        true,
    ))
}

/// The histogram of the bins that a query gives in order, of durations with this total.
pub(super) fn read(
    conn: &mut SqliteConnection,
    sql: &Sql,
    scale: Scale,
    total: &totals::Total,
) -> QueryResult<Distribution> {
    let mut values: Vec<Value> = sql.load(conn)?;
    for value in &mut values {
        let stands_for = percentile::representative(value.value as i64);
        value.value = stands_for.min(total.max as f64);
    }
    let percentiles = percentiles(&values).map(|found| found.within(total.mean(), total.max));
    Ok(Distribution::new(&values, scale, percentiles, false))
}

impl Distribution {
    fn new(values: &[Value], scale: Scale, percentiles: Option<Percentiles>, exact: bool) -> Self {
        Self {
            scale,
            bars: bars(values, scale),
            count: total(values.iter().map(|value| value.count)),
            percentiles,
            exact,
        }
    }
}

/// Values in order of duration, dealt to buckets.
fn bars(values: &[Value], scale: Scale) -> Vec<Bar> {
    let (Some(first), Some(last)) = (values.first(), values.last()) else {
        return Vec::new();
    };
    let mut bars: Vec<Bar> = bounds(first.value as i64, last.value as i64, scale)
        .windows(2)
        .map(|pair| Bar {
            from: pair[0],
            to: pair[1],
            count: 0.0,
            failed: 0.0,
        })
        .collect();
    let mut at = 0;
    for value in values {
        while at + 1 < bars.len() && value.value >= bars[at].to as f64 {
            at += 1;
        }
        bars[at].count += value.count;
        bars[at].failed += value.failed;
    }
    bars
}

/// The edges of the buckets, ascending and distinct, so that every duration from `min` to `max` has one.
fn bounds(min: i64, max: i64, scale: Scale) -> Vec<i64> {
    match scale {
        Scale::Log => {
            let (low, high) = (min.max(1) as f64, (2 * max).max(1) as f64);
            let step = |i: u32| {
                (low * (high / low).powf(f64::from(i) / f64::from(LOG_BUCKETS - 1))).round() as i64
            };
            let mut bounds: Vec<i64> = (0..LOG_BUCKETS).map(step).collect();
            // A duration of 0 has no logarithm, and belongs to the first bucket.
            bounds[0] = bounds[0].min(min);
            bounds.dedup();
            if bounds.len() < 2 {
                bounds.push(bounds[0] + 1);
            }
            bounds
        }
        Scale::Linear => {
            let width = (max / LINEAR_BUCKETS).max(NARROWEST);
            // One more than there are buckets' edges, where rounding down left the longest outside.
            let buckets = LINEAR_BUCKETS.max(max / width + 1);
            (0..=buckets).map(|i| i * width).collect()
        }
    }
}

/// Nearest rank over counted values.
fn percentiles(values: &[Value]) -> Option<Percentiles> {
    let total: f64 = values.iter().map(|value| value.count).sum();
    let at = |q: f64| {
        let mut seen = 0.0;
        values.iter().find_map(|value| {
            seen += value.count;
            (seen >= q * total - 1e-9).then_some(value.value)
        })
    };
    Percentiles::of(at)
}

#[cfg(test)]
mod tests;
