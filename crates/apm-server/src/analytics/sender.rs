//! Senders of events as they describe themselves.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::sql::Sql;

/// A sender as it is stored.
#[derive(QueryableByName)]
pub(super) struct Sender {
    #[diesel(sql_type = BigInt)]
    pub(super) id: i64,
    #[diesel(sql_type = Text)]
    pub(super) environment: String,
    /// Its description of itself, as it is stored.
    #[diesel(sql_type = Text)]
    pub(super) document: String,
}

/// Some senders by their numbers.
pub(super) fn read(conn: &mut SqliteConnection, ids: &[i64]) -> QueryResult<Vec<Sender>> {
    let ids = serde_json::to_string(ids).unwrap_or_default();
    let sql = Sql::new(include_str!("sender.sql")).bind("ids", ids);
    sql.load(conn)
}
