//! What every list is made of: per key what happened, and its sparklines.

use std::collections::HashMap;
use std::sync::Arc;

use diesel::deserialize::QueryableByName;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;

use super::kept::Table;
use super::members::Members;
use super::percentile::{ByKey, Percentiles};
use super::series::Series;
use super::sql::Sql;
use super::totals::{self, Total};
use super::window::Window;

/// One line of a list.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) key: Arc<str>,
    /// The rollup ids that something happened to.
    pub(super) ids: Vec<i64>,
    pub(super) total: Total,
    pub(super) series: Series,
}

impl Line {
    /// Its own among the percentiles of a window.
    pub(super) fn latency(&self, percentiles: &ByKey) -> Option<Percentiles> {
        percentiles.get(&self.key)?.get(&0).copied()
    }
}

/// The keys to which something happened in the window, most time first.
pub(super) fn lines(
    conn: &mut SqliteConnection,
    table: Table,
    members: &Members,
    window: &Window,
) -> QueryResult<Vec<Line>> {
    let buckets = window.buckets();
    let sums = totals::of_window(conn, table, members, &window.slices())?;
    let series = totals::of_buckets(conn, table, members, window)?;
    let mut lines: Vec<Line> = members
        .keys()
        .iter()
        .zip(sums)
        .zip(series)
        .filter(|((_, sum), _)| sum.total.count > 0.0)
        .map(|((key, sum), series)| Line {
            key: Arc::clone(key),
            ids: sum.ids,
            total: sum.total,
            series: series.map_or_else(
                || Series::empty(buckets.len()),
                |sums| Series::of(&sums, &buckets),
            ),
        })
        .collect();
    lines.sort_by(|a, b| (b.total.sum.total_cmp(&a.total.sum)).then_with(|| a.key.cmp(&b.key)));
    Ok(lines)
}

/// A row that says more of a rollup id.
pub(super) trait Attributes: QueryableByName<Sqlite> + 'static {
    fn id(&self) -> i64;
}

/// What else is known of the lines' ids: `sql` finds the rows of `:ids`.
pub(super) fn attributes<R: Attributes>(
    conn: &mut SqliteConnection,
    sql: Sql,
    lines: &[Line],
) -> QueryResult<HashMap<i64, R>> {
    let ids: Vec<i64> = lines.iter().flat_map(|line| &line.ids).copied().collect();
    let ids = serde_json::to_string(&ids).unwrap_or_default();
    let rows: Vec<R> = sql.bind("ids", ids).load(conn)?;
    Ok(rows.into_iter().map(|row| (row.id(), row)).collect())
}
