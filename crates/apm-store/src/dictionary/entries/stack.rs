//! Stack traces by content.

use std::cell::RefCell;

use diesel::connection::DefaultLoadingMode;
use diesel::insert_into;
use diesel::prelude::*;
use xxhash_rust::xxh3::xxh3_128;

use crate::block::{Packer, unpack};
use crate::dictionary::{Entry, Key, Known};
use crate::schema::stack;

/// Stored traces of its hash that one is compared with.
const COMPARED: usize = 4;

/// A stack trace.
#[derive(Debug)]
pub(crate) struct Stack<'a> {
    /// The JSON array.
    pub(crate) json: &'a str,
    pub(crate) packer: &'a RefCell<Packer>,
}

impl Stack<'_> {
    /// The lower half of XXH3-128; the text is compared too.
    fn hash(&self) -> i64 {
        (xxh3_128(self.json.as_bytes()) as u64).cast_signed()
    }
}

impl Entry for Stack<'_> {
    touch!(stack);

    fn key(&self, key: &mut Key<'_>) {
        key.text(self.json);
    }

    fn find(&self, conn: &mut SqliteConnection) -> QueryResult<Option<Known>> {
        let same_hash = stack::table
            .filter(stack::hash.eq(self.hash()))
            .order(stack::id.desc())
            .select((stack::id, stack::last_seen, stack::data))
            .load_iter::<(i64, i64, Vec<u8>), DefaultLoadingMode>(conn)?;
        // Senders can make any number of traces of one hash. Those that are not compared get another row, for which
        // there is room; comparing each with all of them would take the writer's time.
        for row in same_hash.take(COMPARED) {
            let (id, last_seen, data) = row?;
            if unpack(&data).is_ok_and(|text| text == self.json.as_bytes()) {
                return Ok(Some((id, last_seen).into()));
            }
        }
        Ok(None)
    }

    fn insert(&self, now: i64, conn: &mut SqliteConnection) -> QueryResult<i64> {
        let data = self.packer.borrow_mut().pack(self.json.as_bytes());
        insert_into(stack::table)
            .values((
                stack::hash.eq(self.hash()),
                stack::last_seen.eq(now),
                stack::data.eq(data),
            ))
            .returning(stack::id)
            .get_result(conn)
    }
}
