//! Parts of every list: numbers per key, and its sparklines.

mod pick;

use std::collections::{HashMap, HashSet};
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
pub(crate) use super::totals::Sum;
use super::totals::{self, Total};
use super::transaction_percentiles;
use super::window::Window;
pub(crate) use pick::{By, Pick};

/// Lines of a list that are read at once.
pub(crate) const MOST: usize = 1_000;

/// Lines of which percentiles are made to rank them: as many as there are names of one kind, unless somebody allows
/// more (`--apm-max-names`). Of 20,000 that takes some tenths of a second.
const MOST_PERCENTILES: usize = 20_000;

/// The number that ranks a line by [`By::Own`], of its key and its sums.
pub(crate) type Own<'a> = &'a dyn Fn(&str, &Sum) -> Option<f64>;

/// Facts about the lines of a list besides their rollups.
#[derive(Clone, Copy, Default)]
pub(super) struct Beside<'a> {
    /// The ids whose names have the text that is searched for; without it, the words of keys are searched.
    pub(super) found: Option<&'a HashSet<i64>>,
    pub(super) own: Option<Own<'a>>,
}

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
    /// In the order that is asked for, as many as are picked.
    pub(super) lines: Vec<Line>,
    /// Number of lines of higher rank, before them.
    pub(super) first: usize,
    /// The rollup ids that they are made of.
    pub(super) members: Members,
    /// The numbers of all keys, those left out too.
    pub(super) all: Total,
    /// The keys of the other lines and their numbers, by their rank.
    pub(super) left_out: Vec<(Arc<str>, Total)>,
    /// The keys that the search does not find, and their numbers.
    pub(super) unfound: Vec<(Arc<str>, Total)>,
    /// False if they are those with most time of more than [`MOST`], and another order is asked for.
    pub(super) is_ranked: bool,
}

/// The lines of transactions of a scope by some key, and their percentiles. `members`: which groups a key is made of;
/// `exact`: their durations.
pub(super) fn of_transactions(
    conn: &mut SqliteConnection,
    scope: &Scope,
    (members, exact): (&Sql, &Sql),
    window: &Window,
    (pick, own): (&Pick, Option<Own<'_>>),
) -> QueryResult<(Lines, ByKey)> {
    let members = Members::of_scope(conn, scope, members)?;
    let beside = Beside { found: None, own };
    let found = lines(conn, Table::Transactions, &members, window, (pick, beside))?;
    let percentiles = transaction_percentiles::read(
        conn,
        percentile::ranked(found.all.count, found.all.n),
        &found.members,
        exact,
        (&window.slices(), None),
    )?;
    Ok((found, percentiles))
}

/// The keys to which something happened in the window, as they are picked, and the series of [`MOST`] of them or fewer:
/// a series for each of many thousands would take a lot of memory. At most so many are left out that the last lines are
/// found.
pub(super) fn lines(
    conn: &mut SqliteConnection,
    table: Table,
    members: &Members,
    window: &Window,
    (pick, beside): (&Pick, Beside<'_>),
) -> QueryResult<Lines> {
    let buckets = window.buckets();
    let mut sums = totals::of_window(conn, table, members, &window.slices())?;
    let keys = members.keys();
    let places = (0..keys.len()).filter(|place| sums[*place].total.count > 0.0);
    let is_found = |place: &usize| match beside.found {
        Some(found) => sums[*place].ids.iter().any(|id| found.contains(id)),
        None => pick.search.is_none() || keys[*place].split('\t').any(|word| pick.finds(word)),
    };
    let (places, unfound): (Vec<usize>, Vec<usize>) = places.partition(is_found);
    // Rows that a search leaves out count, too: a share is one of everything.
    let mut all = Total::default();
    for place in places.iter().chain(&unfound) {
        all.add(&sums[*place].total);
    }
    let (places, is_ranked) = ranked(
        conn,
        table,
        members,
        window,
        (pick, beside),
        (places, &sums),
    )?;
    let (mut places, others): (Vec<usize>, Vec<usize>) =
        (places.into_iter()).partition(|place| pick.has_key(&keys[*place]));
    let first = within(pick.first, places.len());
    let beyond = places.split_off(places.len().min(first + pick.most));
    let before: Vec<usize> = places.drain(..first).collect();
    // In the order of their rank; rows of keys that were not asked for come last.
    let left_out = before.into_iter().chain(beyond).chain(others);
    let told = |place: usize| (Arc::clone(&keys[place]), sums[place].total);
    let left_out = left_out.map(told).collect();
    let unfound = unfound.into_iter().map(told).collect();
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
        unfound,
        is_ranked,
    })
}

/// The places of lines in the order in which they are picked, and whether it is the one that is asked for.
fn ranked(
    conn: &mut SqliteConnection,
    table: Table,
    members: &Members,
    window: &Window,
    (pick, beside): (&Pick, Beside<'_>),
    (places, sums): (Vec<usize>, &[Sum]),
) -> QueryResult<(Vec<usize>, bool)> {
    let keys = members.keys();
    // A list that is read as a whole is sorted afterwards.
    let is_whole = places.len() <= MOST;
    let is_known = match pick.by {
        By::P95 => places.len() <= MOST_PERCENTILES,
        By::Own => beside.own.is_some(),
        _ => true,
    };
    let most_time = Pick::default();
    let order = if is_known && !is_whole {
        pick
    } else {
        &most_time
    };
    let percentiles = match order.by {
        By::P95 => {
            let members = members.of_places(places.iter().copied());
            transaction_percentiles::within_one_percent(conn, table, &members, &window.slices())?
        }
        _ => ByKey::new(),
    };
    let number = |place: usize| {
        let sum = &sums[place];
        match order.by {
            By::P95 => {
                let found = percentiles.get(&keys[place])?.get(&0)?;
                Some(found.within(sum.total.mean(), sum.total.max).p95)
            }
            By::Own => beside.own?(&keys[place], sum),
            _ => order.number(&sum.total),
        }
    };
    let mut ranked: Vec<(usize, Option<f64>)> = places
        .into_iter()
        .map(|place| (place, number(place)))
        .collect();
    ranked.sort_unstable_by(|a, b| order.compare((&keys[a.0], a.1), (&keys[b.0], b.1)));
    let places = ranked.into_iter().map(|(place, _)| place).collect();
    Ok((places, is_whole || (is_known && pick.is_order_asked)))
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
