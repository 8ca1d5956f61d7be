//! The chart of a statement over a short window, in buckets of some seconds: counted from its spans as rollups count
//! them by the minute.

use std::collections::HashMap;

use apm_time::SECOND;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::analytics::cache::Table;
use crate::analytics::histograms;
use crate::analytics::latency::{self, Latency};
use crate::analytics::members::Members;
use crate::analytics::percentile::bin;
use crate::analytics::short::{are_few, is_short};
use crate::analytics::sql::Sql;
use crate::analytics::totals::{self, Total};
use crate::analytics::weight::Weight;
use crate::analytics::window::Window;

/// A span: one call, or several of which only the sum is known.
#[derive(Debug, Clone, Copy, QueryableByName)]
struct Row {
    /// µs
    #[diesel(sql_type = BigInt)]
    ts: i64,
    #[diesel(sql_type = BigInt)]
    outcome: i64,
    /// The duration of its calls, µs.
    #[diesel(sql_type = BigInt)]
    sum: i64,
    #[diesel(sql_type = BigInt)]
    calls: i64,
    #[diesel(embed)]
    weight: Weight,
}

/// The query behind it.
pub(in crate::analytics) fn sql(ids: &[i64], window: &Window) -> Sql {
    let ids = serde_json::to_string(ids).unwrap_or_default();
    window
        .bind(Sql::new(include_str!("short.sql")))
        .bind("ids", ids)
}

/// The chart; nothing where the window is long, has many spans, or some of them are gone.
///
/// # Errors
/// Those of SQLite.
pub(super) fn trend(
    conn: &mut SqliteConnection,
    members: &Members,
    window: &Window,
) -> QueryResult<Option<Latency>> {
    if !is_short(window) {
        return Ok(None);
    }
    let sums = totals::of_window(conn, Table::Statements, members, &window.slices())?;
    let stored: i64 = sums.iter().map(|sum| sum.total.n).sum();
    if !are_few(stored) {
        return Ok(None);
    }
    let ids: Vec<i64> = sums.iter().flat_map(|sum| &sum.ids).copied().collect();
    let mut rows: Vec<Row> = sql(&ids, window).load(conn)?;
    rows.retain(|row| row.weight.number() > 0.0);
    // Rows go before rollups do.
    if (rows.len() as i64) < stored {
        return Ok(None);
    }
    Ok(Some(drawn(&rows, &window.finer())))
}

fn drawn(rows: &[Row], window: &Window) -> Latency {
    let buckets = window.buckets();
    let first = buckets.first().map_or(0, |bucket| bucket.start);
    let mut sums = vec![Total::default(); buckets.len()];
    let mut bins: HashMap<i64, Vec<f64>> = HashMap::new();
    for row in rows {
        let start = row.ts.div_euclid(SECOND * window.interval) * window.interval;
        let place = usize::try_from((start - first) / window.interval).ok();
        let Some(sum) = place.and_then(|place| sums.get_mut(place)) else {
            continue;
        };
        let weight = row.weight.number();
        let count = weight * row.calls as f64;
        // The single durations of a composite are not known: it counts as so many calls of their mean.
        let mean = row.sum / row.calls;
        let of = |outcome: i64| if row.outcome == outcome { count } else { 0.0 };
        sum.add(&Total {
            count,
            n: 1,
            sum: row.sum as f64 * weight,
            max: mean,
            failures: of(0),
            successes: of(1),
        });
        let bin = u16::try_from(bin(mean)).unwrap_or(u16::MAX);
        histograms::add(bins.entry(start).or_default(), &[(bin, count as f32)]);
    }
    let percentiles: HashMap<i64, _> = bins
        .iter()
        .filter_map(|(start, bins)| Some((*start, histograms::at_ranks(bins)?)))
        .collect();
    latency::of_sums(window, &sums, Some(&percentiles))
}

#[cfg(test)]
mod tests {
    use apm_time::Range;

    use super::*;

    #[test]
    fn a_composite_span_is_as_many_calls_of_their_mean() {
        let range = Range {
            from: 0,
            to: 300 * SECOND,
        };
        let window = Window::new(range, range.to).finer();
        let row = |seconds: i64, sum: i64, calls: i64| Row {
            ts: seconds * SECOND,
            outcome: 1,
            sum,
            calls,
            weight: Some(0.5).into(),
        };
        let found = drawn(&[row(1, 900, 9), row(6, 500, 1), row(300, 1, 1)], &window);
        assert_eq!((window.interval, found.count.len()), (5, 60));
        let all: f64 = found.count.iter().sum();
        assert_eq!(all, 20.0, "half of them were sent");
        assert_eq!((found.count[0], found.avg[0]), (18.0, Some(100.0)));
        assert_eq!(found.percentiles[0].expect("calls").p95, 100.0);
        assert_eq!((found.count[1], found.avg[1]), (2.0, Some(500.0)));
        assert_eq!(found.total.max, 500);
    }
}
