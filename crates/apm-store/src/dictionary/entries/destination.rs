//! Destinations: the databases and services that a service calls.

use diesel::insert_into;
use diesel::prelude::*;

use crate::dictionary::{Entry, Key, Known, Limited};
use crate::limits::{NameKind, OTHER};
use crate::schema::destination;

/// A database or service that a service calls.
#[derive(Debug)]
pub(crate) struct Destination<'a> {
    pub(crate) service: i64,
    pub(crate) resource: &'a str,
    pub(crate) target_type: &'a str,
    pub(crate) target_name: &'a str,
    /// Of the first span that was seen: for its icon.
    pub(crate) span_type: &'a str,
    pub(crate) span_subtype: &'a str,
}

impl Limited for Destination<'_> {
    const KIND: NameKind = NameKind::Destination;
    count!("destination");

    fn service(&self) -> i64 {
        self.service
    }

    fn others(&self) -> [Self; 2] {
        let of_type = |span_type, span_subtype| Self {
            service: self.service,
            resource: OTHER,
            target_type: "",
            target_name: "",
            span_type,
            span_subtype,
        };
        [of_type(self.span_type, self.span_subtype), of_type("", "")]
    }
}

impl Entry for Destination<'_> {
    touch!(destination);

    fn key(&self, key: &mut Key<'_>) {
        key.number(self.service)
            .text(self.resource)
            .text(self.target_type)
            .text(self.target_name);
    }

    fn find(&self, conn: &mut SqliteConnection) -> QueryResult<Option<Known>> {
        let same = destination::service_id
            .eq(self.service)
            .and(destination::resource.eq(self.resource))
            .and(destination::target_type.eq(self.target_type))
            .and(destination::target_name.eq(self.target_name));
        find!(destination, conn, same)
    }

    fn insert(&self, now: i64, conn: &mut SqliteConnection) -> QueryResult<i64> {
        insert_into(destination::table)
            .values((
                destination::service_id.eq(self.service),
                destination::resource.eq(self.resource),
                destination::target_type.eq(self.target_type),
                destination::target_name.eq(self.target_name),
                destination::span_type.eq(self.span_type),
                destination::span_subtype.eq(self.span_subtype),
                destination::last_seen.eq(now),
            ))
            .returning(destination::id)
            .get_result(conn)
    }
}
