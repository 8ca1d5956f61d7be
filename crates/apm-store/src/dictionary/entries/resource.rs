//! A metadata line.

use diesel::insert_into;
use diesel::prelude::*;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::insert_text;
use crate::dictionary::{Entry, Key, Known};
use crate::schema::resource;

/// A metadata line.
#[derive(Debug)]
pub(crate) struct Resource<'a> {
    pub(crate) service: i64,
    pub(crate) document: &'a str,
}

impl Resource<'_> {
    /// The hash that names the sender in all stores.
    pub(crate) fn process(&self) -> i64 {
        hashes(self.document)[0]
    }
}

impl Entry for Resource<'_> {
    touch!(resource);

    fn key(&self, key: &mut Key<'_>) {
        key.number(self.service).text(self.document);
    }

    fn find(&self, conn: &mut SqliteConnection) -> QueryResult<Option<Known>> {
        let document = self.document;
        let same = resource::service_id.eq(self.service).and(same_text!(
            resource,
            hash,
            document,
            hashes(document),
            document
        ));
        find!(resource, conn, same)
    }

    fn insert(&self, now: i64, conn: &mut SqliteConnection) -> QueryResult<i64> {
        insert_text(hashes(self.document), self.document, |hash| {
            insert_into(resource::table)
                .values((
                    resource::service_id.eq(self.service),
                    resource::hash.eq(hash),
                    resource::document.eq(self.document),
                    resource::last_seen.eq(now),
                ))
                .on_conflict_do_nothing()
                .returning(resource::id)
                .get_result(conn)
                .optional()
        })
    }
}

fn hashes(text: &str) -> [i64; 2] {
    [0, 1].map(|seed| xxh3_64_with_seed(text.as_bytes(), seed).cast_signed())
}
