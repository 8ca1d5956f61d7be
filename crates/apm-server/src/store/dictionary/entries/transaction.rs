//! Transactions by type and name, and their results.

use diesel::insert_into;
use diesel::prelude::*;

use crate::store::dictionary::{Entry, Key, Known};
use crate::store::schema::{result, tx_group};

/// Transactions of one type and name.
#[derive(Debug)]
pub(in crate::store) struct TxGroup<'a> {
    pub(in crate::store) service: i64,
    pub(in crate::store) kind: &'a str,
    pub(in crate::store) name: &'a str,
}

impl Entry for TxGroup<'_> {
    touch!(tx_group);

    fn key(&self, key: &mut Key<'_>) {
        key.number(self.service).text(self.kind).text(self.name);
    }

    fn find(&self, conn: &mut SqliteConnection) -> QueryResult<Option<Known>> {
        let same = tx_group::service_id
            .eq(self.service)
            .and(tx_group::type_.eq(self.kind))
            .and(tx_group::name.eq(self.name));
        find!(tx_group, conn, same)
    }

    fn insert(&self, now: i64, conn: &mut SqliteConnection) -> QueryResult<i64> {
        insert_into(tx_group::table)
            .values((
                tx_group::service_id.eq(self.service),
                tx_group::type_.eq(self.kind),
                tx_group::name.eq(self.name),
                tx_group::last_seen.eq(now),
            ))
            .returning(tx_group::id)
            .get_result(conn)
    }
}

/// A transaction's result, such as `HTTP 2xx`.
#[derive(Debug)]
pub(in crate::store) struct ResultValue<'a>(pub(in crate::store) &'a str);

impl Entry for ResultValue<'_> {
    touch!(result);

    fn key(&self, key: &mut Key<'_>) {
        key.text(self.0);
    }

    fn find(&self, conn: &mut SqliteConnection) -> QueryResult<Option<Known>> {
        find!(result, conn, result::value.eq(self.0))
    }

    fn insert(&self, now: i64, conn: &mut SqliteConnection) -> QueryResult<i64> {
        insert_into(result::table)
            .values((result::value.eq(self.0), result::last_seen.eq(now)))
            .returning(result::id)
            .get_result(conn)
    }
}
