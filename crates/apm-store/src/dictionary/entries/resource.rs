//! A metadata line.

use diesel::insert_into;
use diesel::prelude::*;
use xxhash_rust::xxh3::xxh3_64;

use crate::dictionary::{Entry, Key, Known};
use crate::schema::resource;

/// A metadata line.
#[derive(Debug)]
pub(crate) struct Resource<'a> {
    pub(crate) service: i64,
    pub(crate) document: &'a str,
}

impl Entry for Resource<'_> {
    touch!(resource);

    fn key(&self, key: &mut Key<'_>) {
        key.number(self.service).text(self.document);
    }

    fn find(&self, conn: &mut SqliteConnection) -> QueryResult<Option<Known>> {
        let same = resource::hash
            .eq(hash(self.document))
            .and(resource::service_id.eq(self.service));
        find!(resource, conn, same)
    }

    fn insert(&self, now: i64, conn: &mut SqliteConnection) -> QueryResult<i64> {
        insert_into(resource::table)
            .values((
                resource::service_id.eq(self.service),
                resource::hash.eq(hash(self.document)),
                resource::document.eq(self.document),
                resource::last_seen.eq(now),
            ))
            .on_conflict((resource::service_id, resource::hash))
            .do_update()
            .set(resource::last_seen.eq(now))
            .returning(resource::id)
            .get_result(conn)
    }
}

fn hash(text: &str) -> i64 {
    xxh3_64(text.as_bytes()).cast_signed()
}
