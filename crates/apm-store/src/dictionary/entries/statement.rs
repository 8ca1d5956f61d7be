//! Statements by what they ask.

use std::sync::LazyLock;

use diesel::insert_into;
use diesel::prelude::*;
use sql_lexer::Fingerprint;
use xxhash_rust::xxh64::xxh64;

use super::{MAX_SAMPLE, insert_text};
use crate::dictionary::{Entry, Key, Known, Limited};
use crate::limits::{NameKind, OTHER};
use crate::schema::statement;

/// Statements that differ in values only, in one database.
#[derive(Debug)]
pub(crate) struct Statement<'a> {
    pub(crate) service: i64,
    pub(crate) instance: &'a str,
    pub(crate) subtype: &'a str,
    pub(crate) fingerprint: &'a Fingerprint,
    /// As it was sent; cut to [`MAX_SAMPLE`].
    pub(crate) sample: &'a str,
    /// When it happened, seconds since the epoch.
    pub(crate) seen: i64,
}

/// The entry that stands for all statements beyond the limit.
static OTHERS: LazyLock<Fingerprint> = LazyLock::new(|| Fingerprint::from_text(OTHER));

impl Limited for Statement<'_> {
    const KIND: NameKind = NameKind::Statement;
    count!("statement");

    fn service(&self) -> i64 {
        self.service
    }

    fn others(&self) -> [Self; 2] {
        let of_type = |subtype| Self {
            service: self.service,
            instance: "",
            subtype,
            fingerprint: &OTHERS,
            sample: OTHER,
            seen: self.seen,
        };
        [of_type(self.subtype), of_type("")]
    }
}

impl Entry for Statement<'_> {
    touch!(statement);

    fn key(&self, key: &mut Key<'_>) {
        key.number(self.service)
            .text(self.instance)
            .text(self.subtype)
            .text(&self.fingerprint.normalized);
    }

    fn find(&self, conn: &mut SqliteConnection) -> QueryResult<Option<Known>> {
        let text = &self.fingerprint.normalized;
        let same = statement::service_id
            .eq(self.service)
            .and(statement::instance.eq(self.instance))
            .and(statement::subtype.eq(self.subtype))
            .and(same_text!(
                statement,
                fingerprint,
                normalized,
                self.hashes(),
                text
            ));
        find!(statement, conn, same)
    }

    fn insert(&self, now: i64, conn: &mut SqliteConnection) -> QueryResult<i64> {
        let sample = &self.sample[..self.sample.floor_char_boundary(MAX_SAMPLE)];
        insert_text(self.hashes(), &self.fingerprint.normalized, |hash| {
            insert_into(statement::table)
                .values((
                    statement::service_id.eq(self.service),
                    statement::instance.eq(self.instance),
                    statement::subtype.eq(self.subtype),
                    statement::fingerprint.eq(hash),
                    statement::normalized.eq(&self.fingerprint.normalized),
                    statement::sample.eq(sample),
                    statement::verb.eq(&self.fingerprint.verb),
                    statement::table_name.eq(&self.fingerprint.table),
                    statement::first_seen.eq(self.seen),
                    statement::last_seen.eq(now),
                ))
                .on_conflict_do_nothing()
                .returning(statement::id)
                .get_result(conn)
                .optional()
        })
    }
}

impl Statement<'_> {
    /// Its fingerprint, and the one that it has where the first is that of another text.
    fn hashes(&self) -> [i64; 2] {
        let Fingerprint {
            hash, normalized, ..
        } = self.fingerprint;
        [*hash, xxh64(normalized.as_bytes(), 1)].map(u64::cast_signed)
    }
}
