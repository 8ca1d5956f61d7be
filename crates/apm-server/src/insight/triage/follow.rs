//! Follows new occurrences: in which versions a group occurs, and what opens one again that was resolved or ignored.

use std::collections::{BTreeMap, HashMap};

use apm_store::share::{ErrorVersion, LONGEST_VERSION, add_error_versions, note_error_versions};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::publish;
use super::row::Row;
use crate::analytics::errors::Status;
use crate::analytics::sql::Sql;
use crate::sort_rows::SortRows as _;

/// Occurrences of one look: the others wait for the next.
const MOST: i64 = 20_000;

/// The occurrences since the last look.
#[derive(Debug)]
pub(crate) struct Came {
    to: i64,
    rows: Vec<Occurred>,
}

/// Occurrences of a group that one sender sent.
#[derive(Debug, QueryableByName)]
struct Occurred {
    #[diesel(sql_type = BigInt)]
    group_id: i64,
    #[diesel(sql_type = Text)]
    service: String,
    /// Of the group that stands for it.
    #[diesel(sql_type = BigInt)]
    root: i64,
    #[diesel(sql_type = Text)]
    version: String,
    #[diesel(sql_type = BigInt)]
    n: i64,
    #[diesel(sql_type = BigInt)]
    first: i64,
    #[diesel(sql_type = BigInt)]
    last: i64,
    /// Those since the status was decided.
    #[diesel(sql_type = BigInt)]
    later: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    first_later: Option<i64>,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = Nullable<BigInt>)]
    n: Option<i64>,
}

/// The occurrences since the last look; nothing where there are none.
///
/// # Errors
/// Those of SQLite.
pub(crate) fn look(conn: &mut SqliteConnection) -> QueryResult<Option<Came>> {
    // Read each time: numbers start again when all data is cleared.
    let from: Number = Sql::new(include_str!("mark.sql")).first(conn)?;
    let from = from.n.unwrap_or(-1);
    let to: Number = Sql::new(include_str!("reach.sql"))
        .bind("from", from)
        .bind("most", MOST)
        .first(conn)?;
    let Some(to) = to.n else {
        return Ok(None);
    };
    let mut rows: Vec<Occurred> = Sql::new(include_str!("came.sql"))
        .bind("from", from)
        .bind("to", to)
        .load(conn)?;
    for row in &mut rows {
        row.version
            .truncate(row.version.floor_char_boundary(LONGEST_VERSION));
    }
    Ok(Some(Came { to, rows }))
}

impl Came {
    /// Counts what came, opens what came back, and keeps up to where that goes: all or nothing. `shares`: whether other
    /// servers are told of it.
    pub(crate) fn write(self, conn: &mut SqliteConnection, shares: bool) -> QueryResult<()> {
        let mut by_group: BTreeMap<(&str, i64), Vec<&Occurred>> = BTreeMap::new();
        for row in &self.rows {
            by_group
                .entry((&row.service, row.root))
                .or_default()
                .push(row);
        }
        for ((service, root), came) in by_group {
            let Some(mut row) = Row::find(conn, service, root)? else {
                continue;
            };
            if row.status == Status::Open.number() {
                continue;
            }
            let mut is_new = HashMap::new();
            for one in &came {
                let known = is_known(conn, &row, &one.version)?;
                is_new.insert(&*one.version, !known);
            }
            let later: i64 = came.iter().map(|one| one.later).sum();
            row.seen = row.seen.saturating_add(later);
            if let Some((one, by)) = ending(&row, &came, &is_new) {
                let at = one.first_later.unwrap_or(one.last);
                row.reopen(at, by, &one.version);
            }
            row.put(conn)?;
            if row.status == Status::Open.number() {
                publish::publish(conn, service, root, None)?;
            }
        }
        let versions = self.rows.iter().map(|row| ErrorVersion {
            group: row.group_id,
            version: row.version.clone(),
            first: row.first,
            last: row.last,
            occurrences: row.n,
        });
        let versions: Vec<ErrorVersion> = versions.collect();
        add_error_versions(conn, &versions)?;
        if shares {
            note_error_versions(conn, &versions)?;
        }
        diesel::sql_query("INSERT OR REPLACE INTO insight_state VALUES ('errors', ?)")
            .bind::<BigInt, _>(self.to)
            .execute(conn)
            .map(drop)
    }
}

/// The occurrences that end a status, and why.
fn ending<'a>(
    row: &Row,
    came: &[&'a Occurred],
    is_new: &HashMap<&str, bool>,
) -> Option<(&'a Occurred, &'static str)> {
    let mut later: Vec<&Occurred> = came.iter().copied().filter(|one| one.later > 0).collect();
    later.sort_rows_by_key(|one| one.first_later);
    let newest = later.iter().find(|one| is_new[&*one.version]);
    if row.new_version
        && let Some(one) = newest
    {
        return Some((one, "version"));
    }
    if row.status == Status::Resolved.number() && !row.new_version {
        let one = later.first()?;
        let by = if is_new[&*one.version] {
            "version"
        } else {
            "occurrence"
        };
        return Some((one, by));
    }
    let most = row.until_count?;
    let last = later.last()?;
    (row.seen >= most).then_some((last, "count"))
}

/// True if the service ran a version when the status was decided, or if the error occurred in it before.
fn is_known(conn: &mut SqliteConnection, row: &Row, version: &str) -> QueryResult<bool> {
    if version.is_empty() || row.ran(version) {
        return Ok(true);
    }
    let found: Number = Sql::new(include_str!("known.sql"))
        .bind("service", &*row.service)
        .bind("root", row.grouping_key)
        .bind("version", version)
        .bind("changed", row.changed)
        .first(conn)?;
    Ok(found.n == Some(1))
}

/// The number of groups whose time is over; `now` in seconds.
///
/// # Errors
/// Those of SQLite.
pub(crate) fn due(conn: &mut SqliteConnection, now: i64) -> QueryResult<bool> {
    let found: Number =
        Sql::new("SELECT EXISTS (SELECT 1 FROM error_triage WHERE until <= :now) AS n")
            .bind("now", now)
            .first(conn)?;
    Ok(found.n == Some(1))
}

/// Opens the groups whose time is over.
///
/// # Errors
/// Those of SQLite.
pub(crate) fn end(conn: &mut SqliteConnection, now: i64) -> QueryResult<()> {
    diesel::sql_query(include_str!("end.sql"))
        .bind::<BigInt, _>(now)
        .execute(conn)?;
    Ok(())
}
