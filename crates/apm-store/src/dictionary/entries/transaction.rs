//! Transactions by type and name, and their results.

use diesel::insert_into;
use diesel::prelude::*;

use crate::dictionary::{Entry, Key, Known, Limited};
use crate::limits::{NameKind, OTHER};
use crate::schema::{result, tx_group};

/// Transactions of one type and name.
#[derive(Debug)]
pub(crate) struct TxGroup<'a> {
    pub(crate) service: i64,
    pub(crate) kind: &'a str,
    pub(crate) name: &'a str,
}

impl Limited for TxGroup<'_> {
    const KIND: NameKind = NameKind::Transaction;
    count!("tx_group");

    fn service(&self) -> i64 {
        self.service
    }

    fn others(&self) -> [Self; 2] {
        let of_type = |kind| Self {
            service: self.service,
            kind,
            name: OTHER,
        };
        [of_type(self.kind), of_type(OTHER)]
    }
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
pub(crate) struct ResultValue<'a> {
    pub(crate) service: i64,
    pub(crate) value: &'a str,
}

impl Limited for ResultValue<'_> {
    const KIND: NameKind = NameKind::Result;
    count!("result");

    fn service(&self) -> i64 {
        self.service
    }

    fn others(&self) -> [Self; 2] {
        let other = || Self {
            service: self.service,
            value: OTHER,
        };
        [other(), other()]
    }
}

impl Entry for ResultValue<'_> {
    touch!(result);

    fn key(&self, key: &mut Key<'_>) {
        key.number(self.service).text(self.value);
    }

    fn find(&self, conn: &mut SqliteConnection) -> QueryResult<Option<Known>> {
        let same = result::service_id
            .eq(self.service)
            .and(result::value.eq(self.value));
        find!(result, conn, same)
    }

    fn insert(&self, now: i64, conn: &mut SqliteConnection) -> QueryResult<i64> {
        insert_into(result::table)
            .values((
                result::service_id.eq(self.service),
                result::value.eq(self.value),
                result::last_seen.eq(now),
            ))
            .returning(result::id)
            .get_result(conn)
    }
}
