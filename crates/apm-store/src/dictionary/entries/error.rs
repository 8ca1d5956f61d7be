//! Errors by grouping key.

use diesel::insert_into;
use diesel::prelude::*;

use super::MAX_SAMPLE;
use crate::dictionary::{Entry, Key, Known, Limited};
use crate::limits::{NameKind, OTHER};
use crate::schema::error_group;

/// Errors that are the same by their grouping key.
#[derive(Debug)]
pub(crate) struct ErrorGroup<'a> {
    pub(crate) service: i64,
    pub(crate) grouping_key: u64,
    pub(crate) kind: &'a str,
    /// Cut to [`MAX_SAMPLE`]: the whole message is in its event.
    pub(crate) message: &'a str,
    pub(crate) culprit: &'a str,
    pub(crate) handled: Option<bool>,
    /// When it happened, seconds since the epoch.
    pub(crate) seen: i64,
}

/// The grouping key of all errors beyond the limit: XXH64 of [`OTHER`], as if it were their only text.
pub(crate) fn other_key() -> u64 {
    xxhash_rust::xxh64::xxh64(OTHER.as_bytes(), 0)
}

impl Limited for ErrorGroup<'_> {
    const KIND: NameKind = NameKind::Error;
    count!("error_group");

    fn service(&self) -> i64 {
        self.service
    }

    fn others(&self) -> [Self; 2] {
        let other = || Self {
            service: self.service,
            grouping_key: other_key(),
            kind: OTHER,
            message: "",
            culprit: "",
            handled: None,
            seen: self.seen,
        };
        [other(), other()]
    }
}

impl Entry for ErrorGroup<'_> {
    touch!(error_group);

    fn key(&self, key: &mut Key<'_>) {
        key.number(self.service)
            .number(self.grouping_key.cast_signed());
    }

    fn find(&self, conn: &mut SqliteConnection) -> QueryResult<Option<Known>> {
        let same = error_group::service_id
            .eq(self.service)
            .and(error_group::grouping_key.eq(self.grouping_key.cast_signed()));
        find!(error_group, conn, same)
    }

    fn insert(&self, now: i64, conn: &mut SqliteConnection) -> QueryResult<i64> {
        let message = &self.message[..self.message.floor_char_boundary(MAX_SAMPLE)];
        insert_into(error_group::table)
            .values((
                error_group::service_id.eq(self.service),
                error_group::grouping_key.eq(self.grouping_key.cast_signed()),
                error_group::type_.eq(self.kind),
                error_group::message.eq(message),
                error_group::culprit.eq(self.culprit),
                error_group::handled.eq(self.handled),
                error_group::first_seen.eq(self.seen),
                error_group::last_seen.eq(now),
            ))
            .returning(error_group::id)
            .get_result(conn)
    }
}
