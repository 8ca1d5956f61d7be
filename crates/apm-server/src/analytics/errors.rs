//! Error groups: what went wrong, how often, when last.

mod columns;
mod pick;
mod state;

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use schemars::JsonSchema;
use serde::Serialize;

use super::Scope;
use super::list::{self, MOST};
use super::series::Axis;
use super::short;
use super::sql::Sql;
use super::window::Window;
pub(crate) use columns::GroupColumns;
pub(crate) use pick::Pick;
pub(crate) use state::StateColumns;
pub use state::{Reopened, State, Status};

/// All errors of one service with one grouping key.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct ErrorGroup {
    /// `service.name`
    pub service: String,
    /// `service.environment` of each in which it occurred; empty where it is not set.
    pub environments: Vec<String>,
    /// `error.grouping_key`, 16 hex digits.
    pub key: String,
    /// `error.exception.type`, may be empty.
    #[serde(rename = "type")]
    pub kind: String,
    /// `error.log.message`, else `error.exception.message`, of the first one seen.
    pub message: String,
    /// `error.culprit`, may be empty.
    pub culprit: String,
    /// `error.exception.handled`; nothing where the agent does not say.
    pub handled: Option<bool>,
    /// In the window.
    pub occurrences: i64,
    /// When it first arrived, seconds since the epoch.
    pub first_seen: i64,
    /// The latest in the window, µs since the epoch; nothing where only rollups are left of it.
    pub latest: Option<i64>,
    /// Occurrences in each of the axis's buckets.
    pub series: Vec<i64>,
    /// The decision of people about it.
    pub state: State,
}

/// The number of groups of each status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema, Serialize)]
#[schemars(rename = "ErrorsByStatus")]
pub struct ByStatus {
    /// Those that ask for attention.
    pub open: i64,
    /// Those that somebody mended.
    pub resolved: i64,
    /// Those that nobody wants to know of.
    pub ignored: i64,
}

/// The groups of a window, latest first.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Errors {
    /// The groups, at most 1000.
    pub errors: Vec<ErrorGroup>,
    /// Number of other groups that are not listed.
    pub left_out: usize,
    /// Number of groups of higher rank, before these.
    pub first: usize,
    /// Figures of all groups, those left out and those that a search does not find too.
    pub figures: Figures,
    /// Their occurrences in each of the axis's buckets.
    pub series: Vec<i64>,
    /// The buckets of the series.
    pub axis: Axis,
}

/// Error groups together.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema, Serialize)]
#[schemars(rename = "ErrorFigures")]
pub struct Figures {
    /// Occurrences of all groups.
    pub occurrences: i64,
    /// Those that no code handled.
    pub unhandled: i64,
    /// When the latest one occurred, µs since the epoch; null where only rollups are left of them.
    pub latest: Option<i64>,
    /// Number of groups that were first seen within the range.
    pub new: usize,
    /// The group with most occurrences; null where there are none.
    pub most_frequent: Option<ErrorGroup>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(embed)]
    group: GroupColumns,
    #[diesel(embed)]
    state: StateColumns,
    #[diesel(sql_type = Text)]
    environments: String,
    #[diesel(sql_type = BigInt)]
    occurrences: i64,
    #[diesel(sql_type = BigInt)]
    first_seen: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    latest: Option<i64>,
    /// False for the most frequent group where it is none of those that are picked.
    #[diesel(sql_type = Bool)]
    listed: bool,
    /// True for the group with most occurrences.
    #[diesel(sql_type = Bool)]
    is_frequent: bool,
    /// Of all groups that were found.
    #[diesel(sql_type = BigInt)]
    groups: i64,
    /// Of all groups.
    #[diesel(sql_type = BigInt)]
    everything: i64,
    #[diesel(sql_type = BigInt)]
    unhandled: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    newest: Option<i64>,
    #[diesel(sql_type = BigInt)]
    new: i64,
}

#[derive(QueryableByName)]
struct Point {
    #[diesel(sql_type = Text)]
    service: String,
    #[diesel(sql_type = BigInt)]
    grouping_key: i64,
    #[diesel(sql_type = BigInt)]
    bucket: i64,
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// The groups that are asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Which {
    /// One group only.
    pub(crate) key: Option<u64>,
    /// Those of one status.
    pub(crate) status: Option<Status>,
}

/// The query behind the table. `ids`: those that the search found, a JSON array.
pub(super) fn picked_sql(
    scope: &Scope,
    which: Which,
    window: &Window,
    (pick, ids): (&Pick, Option<&str>),
) -> Sql {
    let first = i64::try_from(pick.first).unwrap_or(i64::MAX);
    bound(include_str!("errors.sql"), scope, which, window)
        .bind("most", MOST as i64)
        .bind("keys", pick.keys())
        .bind("asked", window.asked.from)
        .bind("first", first)
        .bind("rank", pick.rank)
        .bind("descending", i64::from(pick.descending))
        .bind("ids", ids)
}

/// The query behind the occurrences chart.
pub(super) fn series_sql(scope: &Scope, which: Which, window: &Window) -> Sql {
    bound(include_str!("errors/series.sql"), scope, which, window)
}

/// The same from the events of a short window.
pub(super) fn short_sql(scope: &Scope, which: Which, window: &Window) -> Sql {
    bound(include_str!("errors/short.sql"), scope, which, window)
}

fn bound(text: &'static str, scope: &Scope, which: Which, window: &Window) -> Sql {
    window.bind(
        scope
            .bind(Sql::new(text))
            .bind("key", which.key.map(u64::cast_signed))
            .bind("status", which.status.map(Status::number)),
    )
}

/// The occurrences of each group over time: of a short window in buckets of some seconds, counted from the events,
/// where all that the rollups counted are there.
fn points(
    conn: &mut SqliteConnection,
    scope: &Scope,
    which: Which,
    window: &Window,
) -> QueryResult<(Vec<Point>, Axis)> {
    let points: Vec<Point> = series_sql(scope, which, window).load(conn)?;
    let all = |points: &[Point]| points.iter().map(|point| point.n).sum::<i64>();
    let counted = all(&points);
    if short::is_short(window) && short::are_few(counted) {
        let fine = window.finer();
        let found: Vec<Point> = short_sql(scope, which, &fine).load(conn)?;
        if all(&found) == counted {
            return Ok((found, Axis::from(&fine)));
        }
    }
    Ok((points, Axis::from(window)))
}

/// The number of groups of each status in the window.
///
/// # Errors
/// Those of SQLite.
pub(crate) fn by_status(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
) -> QueryResult<ByStatus> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        status: i64,
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    let sql = bound(
        include_str!("errors/states.sql"),
        scope,
        Which::default(),
        window,
    );
    let mut found = ByStatus::default();
    for row in sql.load::<Count>(conn)? {
        match Status::of(row.status) {
            Status::Open => found.open = row.n,
            Status::Resolved => found.resolved = row.n,
            Status::Ignored => found.ignored = row.n,
        }
    }
    Ok(found)
}

#[derive(QueryableByName)]
struct Kinds {
    #[diesel(sql_type = BigInt)]
    kinds: i64,
}

/// Number of kinds of errors in an environment, or in all, that nobody resolved and nobody ignores.
///
/// # Errors
/// Those of SQLite.
pub fn kinds(conn: &mut SqliteConnection, scope: &Scope, window: &Window) -> QueryResult<u64> {
    let sql = window.bind(scope.bind(Sql::new(include_str!("errors/kinds.sql"))));
    let found: Vec<Kinds> = sql.load(conn)?;
    Ok(found.first().map_or(0, |row| row.kinds.unsigned_abs()))
}

/// The error groups of the scope; with a `key` at most that one per service.
///
/// # Errors
/// Those of SQLite.
pub fn list(
    conn: &mut SqliteConnection,
    scope: &Scope,
    key: Option<u64>,
    window: &Window,
) -> QueryResult<Errors> {
    let which = Which { key, status: None };
    list_of(conn, scope, which, window, &Pick::default())
}

/// Those that are asked for and picked. Beyond all of them, the last thousand.
///
/// # Errors
/// Those of SQLite.
pub(crate) fn list_of(
    conn: &mut SqliteConnection,
    scope: &Scope,
    which: Which,
    window: &Window,
    pick: &Pick,
) -> QueryResult<Errors> {
    let ids = pick::search(conn, scope, window, pick.search.as_ref())?;
    let mut first = pick.first;
    let mut read = |first: usize| {
        let pick = Pick {
            first,
            ..pick.clone()
        };
        picked_sql(scope, which, window, (&pick, ids.as_deref())).load(conn)
    };
    let mut rows: Vec<Row> = read(first)?;
    let all = rows
        .first()
        .map_or(0, |row| row.groups.unsigned_abs() as usize);
    // The rows that are asked for lie beyond the last one: the last thousand are shown.
    if first >= all && first > 0 {
        first = list::within(first, all);
        rows = read(first)?;
    }
    let (points, axis) = points(conn, scope, which, window)?;
    let listed: HashMap<(&str, i64), usize> = rows
        .iter()
        .enumerate()
        .map(|(index, row)| ((row.group.service.as_str(), row.group.grouping_key), index))
        .collect();
    let mut series = vec![vec![0; axis.buckets.len()]; rows.len()];
    let mut all = vec![0; axis.buckets.len()];
    let places = axis.places();
    // Groups that are not listed count in the series of all.
    for point in points {
        let Some(&place) = places.get(&point.bucket) else {
            continue;
        };
        all[place] += point.n;
        if let Some(index) = listed.get(&(point.service.as_str(), point.grouping_key)) {
            series[*index][place] += point.n;
        }
    }
    let mut figures = rows.first().map(Row::figures).unwrap_or_default();
    let groups = rows
        .first()
        .map_or(0, |row| row.groups.unsigned_abs() as usize);
    let mut errors = Vec::with_capacity(rows.len());
    for (row, series) in rows.into_iter().zip(series) {
        let (is_listed, is_most_frequent) = (row.listed, row.is_frequent);
        let group = row.group(series);
        if is_most_frequent {
            figures.most_frequent = Some(group.clone());
        }
        if is_listed {
            errors.push(group);
        }
    }
    Ok(Errors {
        left_out: groups - errors.len(),
        errors,
        first,
        figures,
        series: all,
        axis,
    })
}

impl Row {
    /// The figures that each row has, of all groups.
    fn figures(&self) -> Figures {
        Figures {
            occurrences: self.everything,
            unhandled: self.unhandled,
            latest: self.newest,
            new: self.new.unsigned_abs() as usize,
            most_frequent: None,
        }
    }

    fn group(self, series: Vec<i64>) -> ErrorGroup {
        let mut environments: Vec<String> =
            serde_json::from_str(&self.environments).unwrap_or_default();
        environments.sort_unstable();
        ErrorGroup {
            series,
            environments,
            state: self.state.into(),
            key: self.group.key(),
            service: self.group.service,
            kind: self.group.kind,
            message: self.group.message,
            culprit: self.group.culprit,
            handled: self.group.handled,
            occurrences: self.occurrences,
            first_seen: self.first_seen,
            latest: self.latest,
        }
    }
}
