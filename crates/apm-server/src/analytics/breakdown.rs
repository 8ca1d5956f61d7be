//! The time of transactions by kind of span: “database or app?”.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Text};
use schemars::JsonSchema;
use serde::Serialize;

use super::series::Axis;
use super::sql::Sql;
use super::window::Window;
use super::{Scope, total};
use crate::sort_rows::SortRows as _;

/// No more kinds than these are told apart; the rest is `other`.
const KINDS: usize = 20;

/// Spans of one kind.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
#[schemars(rename = "BreakdownKind")]
pub struct Kind {
    /// `span.type`; `app` is the transactions' own time.
    #[serde(rename = "type")]
    pub kind: String,
    /// `span.subtype`, may be empty.
    pub subtype: String,
    /// Self time in the window, µs.
    pub total: f64,
    /// Self time / all self time of the window, 0 to 1.
    pub share: f64,
    /// The same for each of the axis's buckets; nothing where there was no time.
    pub shares: Vec<Option<f64>>,
}

/// The chart, most time first.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Breakdown {
    /// The buckets.
    pub axis: Axis,
    /// The kinds; empty where no agent sends breakdown metrics.
    pub kinds: Vec<Kind>,
}

#[derive(Debug, QueryableByName)]
struct Row {
    #[diesel(sql_type = Text, column_name = "type")]
    kind: String,
    #[diesel(sql_type = Text)]
    subtype: String,
    #[diesel(sql_type = BigInt)]
    bucket: i64,
    #[diesel(sql_type = Double)]
    sum: f64,
}

/// The query behind the chart.
pub(super) fn sql(scope: &Scope, window: &Window) -> Sql {
    window.bind(scope.bind(Sql::new(include_str!("breakdown.sql"))))
}

/// The chart of whatever the scope holds.
///
/// # Errors
/// Those of SQLite.
pub fn chart(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
) -> QueryResult<Breakdown> {
    let axis = Axis::from(window);
    // Agents send the time by type of span for whole groups: of some of their requests it is not known.
    let rows = match scope.scanned {
        Some(_) => Vec::new(),
        None => sql(scope, window).load(conn)?,
    };
    let kinds = kinds(rows, &axis);
    Ok(Breakdown { axis, kinds })
}

fn kinds(rows: Vec<Row>, axis: &Axis) -> Vec<Kind> {
    let length = axis.buckets.len();
    let mut sums: Vec<(String, String, Vec<f64>)> = Vec::new();
    for row in rows {
        let Some(place) = axis
            .buckets
            .iter()
            .position(|bucket| bucket.start == row.bucket)
        else {
            continue;
        };
        let known = sums
            .iter()
            .position(|(kind, subtype, _)| *kind == row.kind && *subtype == row.subtype);
        let at = known.unwrap_or_else(|| {
            sums.push((row.kind, row.subtype, vec![0.0; length]));
            sums.len() - 1
        });
        sums[at].2[place] += row.sum.max(0.0);
    }
    sums.sort_rows_by(|a, b| total(&b.2).total_cmp(&total(&a.2)));
    // Colours are few: the kinds with least time are one.
    if sums.len() > KINDS {
        let rest = sums.split_off(KINDS - 1);
        let mut other = vec![0.0; length];
        for (_, _, values) in rest {
            other
                .iter_mut()
                .zip(values)
                .for_each(|(sum, value)| *sum += value);
        }
        sums.push(("other".to_owned(), String::new(), other));
    }
    let by_bucket: Vec<f64> = (0..length)
        .map(|place| total(sums.iter().map(|(_, _, values)| values[place])))
        .collect();
    let all = total(&by_bucket);
    sums.into_iter()
        .map(|(kind, subtype, values)| Kind {
            kind,
            subtype,
            total: total(&values),
            share: super::mean(total(&values), all).unwrap_or(0.0),
            shares: values
                .iter()
                .zip(&by_bucket)
                .map(|(value, bucket)| super::mean(*value, *bucket))
                .collect(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analytics::window::Bucket;

    fn axis() -> Axis {
        Axis {
            interval: 60,
            buckets: [0, 60]
                .map(|start| Bucket {
                    start,
                    covered: 60.0,
                })
                .to_vec(),
            widened: false,
        }
    }

    fn row(kind: &str, bucket: i64, sum: f64) -> Row {
        Row {
            kind: kind.to_owned(),
            subtype: String::new(),
            bucket,
            sum,
        }
    }

    #[test]
    fn shares_add_to_one_in_each_bucket_that_has_time() {
        let kinds = kinds(
            vec![row("app", 0, 30.0), row("db", 0, 70.0), row("db", 600, 5.0)],
            &axis(),
        );
        let shares: Vec<_> = kinds
            .iter()
            .map(|kind| (kind.kind.as_str(), kind.share, kind.shares.clone()))
            .collect();
        assert_eq!(
            shares,
            [
                ("db", 0.7, vec![Some(0.7), None]),
                ("app", 0.3, vec![Some(0.3), None])
            ]
        );
    }

    #[test]
    fn beyond_twenty_kinds_the_rest_is_other() {
        let rows = (0..30)
            .map(|i| row(&format!("t{i:02}"), 60, f64::from(100 - i)))
            .collect();
        let kinds = kinds(rows, &axis());
        assert_eq!((kinds.len(), kinds[19].kind.as_str()), (20, "other"));
        let sum: f64 = kinds.iter().map(|kind| kind.share).sum();
        assert!((sum - 1.0).abs() < 1e-9);
    }
}
