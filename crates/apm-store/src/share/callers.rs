//! Callers of statements: rows of `roll_caller`, which are counted behind the intake.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Binary, Double, Text};
use diesel::sqlite::Sqlite;

use crate::id::StoredId;
use crate::rollup::LEVELS;
use crate::statement::Run as _;

/// Requests of a transaction group that ran a statement within a minute.
#[derive(Clone, Debug, PartialEq)]
pub struct Caller {
    /// Start of the minute, seconds since the epoch.
    pub bucket: i64,
    /// The id of the transaction group.
    pub group: i64,
    /// The id of the statement; 0: all statements.
    pub statement: i64,
    /// Requests.
    pub requests: i64,
    /// Calls.
    pub calls: f64,
    /// Calls in one request, at most.
    pub most: f64,
    /// The time of the calls, µs.
    pub sum: f64,
    /// The time of the requests, µs.
    pub tx_sum: f64,
    /// Requests in which a SELECT of another statement came before.
    pub follows: i64,
    /// Calls that a loop made.
    pub looped: f64,
    /// A request with the most calls.
    pub trace: StoredId,
}

const ADD: &str = include_str!("add_caller.sql");

/// Adds callers to the rollups of all levels. `now`: µs since the epoch.
pub fn add_callers(conn: &mut SqliteConnection, callers: &[Caller], now: i64) -> QueryResult<()> {
    let mut written: BTreeSet<(i64, i64)> = BTreeSet::new();
    for caller in callers {
        for level in LEVELS {
            let bucket = caller.bucket.div_euclid(level) * level;
            written.insert((level, bucket));
            let query = sql_query(ADD).into_boxed::<Sqlite>();
            let query = query.bind::<BigInt, _>(level);
            bind(query, caller, bucket).run(conn)?;
        }
    }
    for (level, bucket) in written {
        sql_query("INSERT OR REPLACE INTO roll_caller_written VALUES (?, ?, ?)")
            .bind::<BigInt, _>(level)
            .bind::<BigInt, _>(bucket)
            .bind::<BigInt, _>(now)
            .run(conn)?;
    }
    Ok(())
}

/// Notes callers for the other servers.
pub fn note_callers(conn: &mut SqliteConnection, callers: &[Caller]) -> QueryResult<()> {
    for caller in callers {
        let query = sql_query(
            "INSERT INTO share_caller (bucket, tx_group_id, statement_id, requests, calls, most, sum, tx_sum, \
             follows, trace_id, looped) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        );
        bind(query.into_boxed::<Sqlite>(), caller, caller.bucket).run(conn)?;
    }
    Ok(())
}

type Query<'q> = diesel::query_builder::BoxedSqlQuery<'q, Sqlite, diesel::query_builder::SqlQuery>;

fn bind<'q>(query: Query<'q>, caller: &'q Caller, bucket: i64) -> Query<'q> {
    let query = query
        .bind::<BigInt, _>(bucket)
        .bind::<BigInt, _>(caller.group)
        .bind::<BigInt, _>(caller.statement)
        .bind::<BigInt, _>(caller.requests)
        .bind::<Double, _>(caller.calls)
        .bind::<Double, _>(caller.most)
        .bind::<Double, _>(caller.sum)
        .bind::<Double, _>(caller.tx_sum)
        .bind::<BigInt, _>(caller.follows);
    let query = match &caller.trace {
        StoredId::Short(id) => query.bind::<BigInt, _>(id.cast_signed()),
        StoredId::Long(id) => query.bind::<Binary, _>(id.as_slice()),
        StoredId::Other(id) => query.bind::<Text, _>(id.as_str()),
    };
    query.bind::<Double, _>(caller.looped)
}
