//! Parts of every list: numbers per key, and its sparklines.

use std::collections::HashMap;
use std::sync::Arc;

use diesel::deserialize::QueryableByName;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;

use super::Scope;
use super::cache::Table;
use super::members::Members;
use super::percentile::{self, ByKey, Percentiles};
use super::series::Series;
use super::sql::Sql;
use super::totals::{self, Total};
use super::transaction_percentiles;
use super::window::Window;

/// Lines of a list that are read at once.
pub(crate) const MOST: usize = 1_000;

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
        let found = percentiles.get(&self.key)?.get(&0)?;
        Some(found.within(self.total.mean(), self.total.max))
    }
}

/// The lines of a list.
#[derive(Debug)]
pub(super) struct Lines {
    /// Most time first, at most [`MOST`].
    pub(super) lines: Vec<Line>,
    /// Number of lines with more time, before them.
    pub(super) first: usize,
    /// The rollup ids that they are made of.
    pub(super) members: Members,
    /// The numbers of all keys, those left out too.
    pub(super) all: Total,
    /// The keys of the other lines and their numbers, most time first.
    pub(super) left_out: Vec<(Arc<str>, Total)>,
}

/// The lines of transactions of a scope by some key, and their percentiles. `members`: which groups a key is made of;
/// `exact`: their durations; `first`: how many lines with more time are left out.
pub(super) fn of_transactions(
    conn: &mut SqliteConnection,
    scope: &Scope,
    (members, exact): (&Sql, &Sql),
    window: &Window,
    first: usize,
) -> QueryResult<(Lines, ByKey)> {
    let members = Members::of_scope(conn, scope, members)?;
    let found = lines(conn, Table::Transactions, &members, window, first)?;
    let percentiles = transaction_percentiles::read(
        conn,
        percentile::ranked(found.all.count, found.all.n),
        &found.members,
        exact,
        (&window.slices(), None),
    )?;
    Ok((found, percentiles))
}

/// The keys to which something happened in the window, by their time, and the series of [`MOST`] of them: a series for
/// each of many thousands would take a lot of memory.
///
/// `first`: how many with more time are left out; at most so many that the last lines are found.
pub(super) fn lines(
    conn: &mut SqliteConnection,
    table: Table,
    members: &Members,
    window: &Window,
    first: usize,
) -> QueryResult<Lines> {
    let buckets = window.buckets();
    let mut sums = totals::of_window(conn, table, members, &window.slices())?;
    let keys = members.keys();
    let mut places: Vec<usize> = (0..keys.len())
        .filter(|place| sums[*place].total.count > 0.0)
        .collect();
    let time = |place: usize| sums[place].total.sum;
    places.sort_unstable_by(|a, b| {
        (time(*b).total_cmp(&time(*a))).then_with(|| keys[*a].cmp(&keys[*b]))
    });
    let mut all = Total::default();
    for place in &places {
        all.add(&sums[*place].total);
    }
    let first = within(first, places.len());
    let beyond = places.split_off(places.len().min(first + MOST));
    let before: Vec<usize> = places.drain(..first).collect();
    let left_out = before.into_iter().chain(beyond);
    let left_out = left_out.map(|place| (Arc::clone(&keys[place]), sums[place].total));
    let left_out = left_out.collect();
    let members = members.of_places(places.iter().copied());
    let series = totals::of_buckets(conn, table, &members, window)?;
    let lines = places
        .into_iter()
        .zip(series)
        .map(|(place, series)| {
            let sum = std::mem::take(&mut sums[place]);
            Line {
                key: Arc::clone(&keys[place]),
                ids: sum.ids,
                total: sum.total,
                series: series.map_or_else(
                    || Series::empty(buckets.len()),
                    |sums| Series::from_sums(&sums, &buckets),
                ),
            }
        })
        .collect();
    Ok(Lines {
        lines,
        first,
        members,
        all,
        left_out,
    })
}

/// The start of a thousand rows: where it lies beyond all of them, of the last thousand.
pub(super) fn within(first: usize, all: usize) -> usize {
    first.min(all.saturating_sub(1) / MOST * MOST)
}

/// A row that says more of a rollup id.
pub(super) trait Attributes: QueryableByName<Sqlite> + 'static {
    fn id(&self) -> i64;
}

/// Other attributes of the lines' ids: `sql` finds the rows of `:ids`.
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
