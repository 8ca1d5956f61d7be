//! Whether a window can be compared with an earlier one, and how much slower the same requests are.
//!
//! The mean duration of a service also moves when a slow request becomes more frequent, though none is slower. So each
//! transaction group is compared with itself, and weighted by how often it was called in the later window. A group
//! belongs to one environment: that mix is held fixed, too.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use apm_time::{Range, SECOND};
use diesel::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;

use super::cache::Table;
use super::latency;
use super::members::Members;
use super::sql::Sql;
use super::totals::{self, Total};
use super::window::Window;
use super::{Scope, mean, minutes};

/// Requests of a group that each window needs.
const ENOUGH: f64 = 10.0;

/// The shortest start of a window that must have events, µs.
const SHORTEST: i64 = 60 * SECOND;

/// Whether two windows can be compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Comparable {
    /// Both windows have enough of the same requests.
    Yes,
    /// Nothing happened in the first quarter of the earlier window: it may not be known whole.
    #[default]
    NoEarlierData,
    /// Fewer than ten requests of each group in one of the windows.
    TooFewRequests,
    /// Less than half of the requests belong to groups that both windows have.
    OtherRequests,
}

/// The mean duration of the same requests in two windows.
#[derive(Debug, Clone, Copy, Default, PartialEq, JsonSchema, Serialize)]
pub(crate) struct Change {
    /// Whether the windows can be compared.
    pub(crate) comparable: Comparable,
    /// Mean duration in the earlier window, µs, each group weighted by its number in the later one; null where the
    /// windows cannot be compared.
    pub(crate) before_avg: Option<f64>,
    /// Mean duration of the same groups in the later window, µs; null likewise.
    pub(crate) after_avg: Option<f64>,
    /// Transaction groups of either window: one where all requests are of one type, name and environment.
    #[serde(skip)]
    pub(crate) groups: usize,
}

impl Change {
    /// True if something is known of all of the earlier window.
    pub(crate) fn is_covered(&self) -> bool {
        self.comparable != Comparable::NoEarlierData
    }

    /// After / before.
    pub(crate) fn ratio(&self) -> Option<f64> {
        Some(self.after_avg? / self.before_avg.filter(|avg| *avg > 0.0)?)
    }
}

/// The change of each service of a scope, by its name.
///
/// # Errors
/// Those of SQLite.
pub(crate) fn of_services(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
    before: &Window,
) -> QueryResult<HashMap<String, Change>> {
    let sql = Sql::new(include_str!("services/members.sql"));
    let members = Members::of_scope(conn, scope, &window.bind(scope.bind(sql)))?;
    let changes = of_members(conn, &members, window, before)?;
    let names = members.keys().iter().map(|name| name.to_string());
    Ok(names.zip(changes).collect())
}

/// The change of all requests of a scope together.
///
/// # Errors
/// Those of SQLite.
pub(crate) fn of_scope(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
    before: &Window,
) -> QueryResult<Change> {
    let members = latency::members(conn, scope, window)?;
    let changes = of_members(conn, &members, window, before)?;
    Ok(changes.into_iter().next().unwrap_or_default())
}

/// The key of a row of a list, its mean duration in µs, and the number of its events.
pub(crate) type Row = (String, Option<f64>, f64);

/// After / before of the means of the same rows in two windows, by their keys. A row that has fewer events than a
/// comparison needs, in one of the windows, has none.
pub(crate) fn of_rows(
    after: impl Iterator<Item = Row>,
    before: impl Iterator<Item = Row>,
) -> HashMap<String, f64> {
    let enough = |(key, mean, count): Row| Some((key, mean.filter(|_| count >= ENOUGH)?));
    let before = before
        .filter_map(enough)
        .filter(|(_, mean)| *mean > 0.0)
        .collect::<HashMap<_, _>>();
    after
        .filter_map(enough)
        .filter_map(|(key, mean)| {
            let ratio = mean / before.get(&key)?;
            Some((key, ratio))
        })
        .collect()
}

/// Whether the scope had requests in the first quarter of a window.
///
/// # Errors
/// Those of SQLite.
pub(crate) fn is_covered(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
) -> QueryResult<bool> {
    let members = latency::members(conn, scope, window)?;
    Ok(!early(conn, &members, window)?.is_empty())
}

/// The keys with requests in the first quarter of a window.
fn early(
    conn: &mut SqliteConnection,
    members: &Members,
    window: &Window,
) -> QueryResult<HashSet<Arc<str>>> {
    let from = window.range.from;
    let range = Range {
        from,
        to: from + (window.range.micros() / 4).max(SHORTEST),
    };
    let quarter = minutes::widened(conn, &Window::new(range, window.now))?;
    let sums = totals::of_window(conn, Table::Transactions, members, &quarter.slices())?;
    let keys = members.keys().iter().zip(&sums);
    let seen = keys.filter(|(_, sum)| sum.total.count > 0.0);
    Ok(seen.map(|(key, _)| Arc::clone(key)).collect())
}

/// The change of each key, in the order of their places.
fn of_members(
    conn: &mut SqliteConnection,
    members: &Members,
    window: &Window,
    before: &Window,
) -> QueryResult<Vec<Change>> {
    let early = early(conn, members, before)?;
    let mut by_id = |of: &Window| totals::by_id(conn, Table::Transactions, members, &of.slices());
    let (now, then) = (by_id(window)?, by_id(before)?);
    let mut sides = vec![Sides::default(); members.keys().len()];
    let ids: HashSet<&i64> = now.keys().chain(then.keys()).collect();
    for id in ids {
        if let Some(place) = members.place(*id) {
            let side = |of: &HashMap<i64, Total>| of.get(id).copied().unwrap_or_default();
            sides[place].add(side(&then), side(&now));
        }
    }
    let keys = members.keys().iter().zip(&sides);
    Ok(keys
        .map(|(key, sides)| sides.change(early.contains(key)))
        .collect())
}

/// The requests of a key in two windows.
#[derive(Debug, Clone, Copy, Default)]
struct Sides {
    groups: usize,
    before: f64,
    after: f64,
    /// Requests of the later window whose group is in the earlier one.
    known: f64,
    /// The same of groups with enough requests in both, and their time: as it is, and as it was.
    shared: f64,
    shared_after: f64,
    shared_before: f64,
}

impl Sides {
    fn add(&mut self, before: Total, after: Total) {
        self.groups += 1;
        self.before += before.count;
        self.after += after.count;
        // A group that was not called before has nothing to be compared with.
        let Some(was) = mean(before.sum, before.count) else {
            return;
        };
        self.known += after.count;
        if before.count >= ENOUGH && after.count >= ENOUGH {
            self.shared += after.count;
            self.shared_after += after.sum;
            // The earlier mean times the later number of calls: what these calls would have taken before.
            self.shared_before += was * after.count;
        }
    }

    fn change(&self, covered: bool) -> Change {
        let is_most = |part: f64| part * 2.0 >= self.after;
        let comparable = match () {
            () if !covered => Comparable::NoEarlierData,
            () if self.before < ENOUGH || self.after < ENOUGH => Comparable::TooFewRequests,
            () if is_most(self.shared) => Comparable::Yes,
            () if is_most(self.known) => Comparable::TooFewRequests,
            () => Comparable::OtherRequests,
        };
        let is = comparable == Comparable::Yes;
        Change {
            comparable,
            before_avg: mean(self.shared_before, self.shared).filter(|_| is),
            after_avg: mean(self.shared_after, self.shared).filter(|_| is),
            groups: self.groups,
        }
    }
}

#[cfg(test)]
mod tests;
