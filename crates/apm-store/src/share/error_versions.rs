//! Versions of services in which errors occurred: rows of `error_version`, which are counted behind the intake.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::Sqlite;

use crate::number::number;
use crate::statement::Run as _;

/// Rows that are kept, and those beyond them that are tolerated before some are deleted. Senders choose versions.
const MOST: i64 = 100_000;
const SLACK: i64 = MOST / 10;

/// The longest version, bytes. A longer one is cut where errors are counted, and not taken from another server.
pub const LONGEST_VERSION: usize = 200;

/// Occurrences of a group of errors in a version of its service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorVersion {
    /// The id of the group.
    pub group: i64,
    /// `service.version`
    pub version: String,
    /// The first occurrence, µs since the epoch.
    pub first: i64,
    /// The last one.
    pub last: i64,
    /// Their number.
    pub occurrences: i64,
}

/// Adds occurrences. Versions in which no group occurred for the longest time are deleted where there are too many.
pub fn add_error_versions(conn: &mut SqliteConnection, rows: &[ErrorVersion]) -> QueryResult<()> {
    for row in rows {
        let add = sql_query(include_str!("add_error_version.sql"));
        bind(add.into_boxed::<Sqlite>(), row).run(conn)?;
    }
    if !rows.is_empty() && number(conn, "SELECT count(*) AS n FROM error_version")? > MOST + SLACK {
        sql_query(
            "DELETE FROM error_version WHERE last_ts < (SELECT last_ts FROM error_version ORDER BY last_ts DESC \
             LIMIT 1 OFFSET +?)",
        )
        .bind::<BigInt, _>(MOST)
        .run(conn)?;
    }
    Ok(())
}

/// Notes occurrences for the other servers.
pub fn note_error_versions(conn: &mut SqliteConnection, rows: &[ErrorVersion]) -> QueryResult<()> {
    for row in rows {
        let note = sql_query(
            "INSERT INTO share_error_version (group_id, version, first_ts, last_ts, occurrences) \
             VALUES (?, ?, ?, ?, ?)",
        );
        bind(note.into_boxed::<Sqlite>(), row).run(conn)?;
    }
    Ok(())
}

type Query<'q> = diesel::query_builder::BoxedSqlQuery<'q, Sqlite, diesel::query_builder::SqlQuery>;

fn bind<'q>(query: Query<'q>, row: &'q ErrorVersion) -> Query<'q> {
    query
        .bind::<BigInt, _>(row.group)
        .bind::<Text, _>(&row.version)
        .bind::<BigInt, _>(row.first)
        .bind::<BigInt, _>(row.last)
        .bind::<BigInt, _>(row.occurrences)
}
