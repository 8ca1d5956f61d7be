//! Spans by type and name.

use diesel::insert_into;
use diesel::prelude::*;

use crate::dictionary::{Entry, Key, Known};
use crate::schema::span_group;

/// Spans of one name and type.
#[derive(Debug)]
pub(crate) struct SpanGroup<'a> {
    pub(crate) service: i64,
    pub(crate) name: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) subtype: &'a str,
    pub(crate) action: &'a str,
}

impl Entry for SpanGroup<'_> {
    touch!(span_group);

    fn key(&self, key: &mut Key<'_>) {
        key.number(self.service)
            .text(self.name)
            .text(self.kind)
            .text(self.subtype)
            .text(self.action);
    }

    fn find(&self, conn: &mut SqliteConnection) -> QueryResult<Option<Known>> {
        let same = span_group::service_id
            .eq(self.service)
            .and(span_group::name.eq(self.name))
            .and(span_group::type_.eq(self.kind))
            .and(span_group::subtype.eq(self.subtype))
            .and(span_group::action.eq(self.action));
        find!(span_group, conn, same)
    }

    fn insert(&self, now: i64, conn: &mut SqliteConnection) -> QueryResult<i64> {
        insert_into(span_group::table)
            .values((
                span_group::service_id.eq(self.service),
                span_group::name.eq(self.name),
                span_group::type_.eq(self.kind),
                span_group::subtype.eq(self.subtype),
                span_group::action.eq(self.action),
                span_group::last_seen.eq(now),
            ))
            .returning(span_group::id)
            .get_result(conn)
    }
}
