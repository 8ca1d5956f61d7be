//! Rows of what is counted behind the intake, as they were noted for the other servers.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Double, Text};

use super::Taken;
use crate::id::{Identifier, StoredId};

/// Rows of one kind that are read together.
const TOGETHER: i64 = 20_000;

#[derive(QueryableByName)]
pub(super) struct CallerRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) bucket: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) tx_group_id: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) statement_id: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) requests: i64,
    #[diesel(sql_type = Double)]
    pub(super) calls: f64,
    #[diesel(sql_type = Double)]
    pub(super) most: f64,
    #[diesel(sql_type = Double)]
    pub(super) sum: f64,
    #[diesel(sql_type = Double)]
    pub(super) tx_sum: f64,
    #[diesel(sql_type = BigInt)]
    pub(super) follows: i64,
    #[diesel(sql_type = Identifier)]
    pub(super) trace_id: StoredId,
    #[diesel(sql_type = Double)]
    pub(super) looped: f64,
}

#[derive(QueryableByName)]
pub(super) struct ErrorVersionRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) group_id: i64,
    #[diesel(sql_type = Text)]
    pub(super) version: String,
    #[diesel(sql_type = BigInt)]
    pub(super) first_ts: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) last_ts: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) occurrences: i64,
}

/// Callers of statements, and the rows that they are.
pub(super) fn callers(conn: &mut SqliteConnection) -> QueryResult<(Vec<CallerRow>, Taken)> {
    let rows: Vec<CallerRow> = sql_query("SELECT * FROM share_caller ORDER BY id LIMIT +?")
        .bind::<BigInt, _>(TOGETHER)
        .load(conn)?;
    let taken = Taken::of(rows.len(), rows.last().map(|row| row.id), TOGETHER);
    Ok((rows, taken))
}

/// Versions in which errors occurred, and the rows that they are.
pub(super) fn error_versions(
    conn: &mut SqliteConnection,
) -> QueryResult<(Vec<ErrorVersionRow>, Taken)> {
    let rows: Vec<ErrorVersionRow> =
        sql_query("SELECT * FROM share_error_version ORDER BY id LIMIT +?")
            .bind::<BigInt, _>(TOGETHER)
            .load(conn)?;
    let taken = Taken::of(rows.len(), rows.last().map(|row| row.id), TOGETHER);
    Ok((rows, taken))
}
