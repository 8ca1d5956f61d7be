//! Stack traces by content.

use std::cell::RefCell;

use diesel::insert_into;
use diesel::prelude::*;

use crate::block::{Packer, unpack};
use crate::dictionary::{Entry, Key, Known};
use crate::schema::stack;

/// A stack trace.
#[derive(Debug)]
pub(crate) struct Stack<'a> {
    /// The JSON array.
    pub(crate) json: &'a str,
    /// A hash of it; the text is compared too.
    pub(crate) hash: u128,
    pub(crate) packer: &'a RefCell<Packer>,
}

impl Stack<'_> {
    /// The lower half of the hash.
    fn hash(&self) -> i64 {
        (self.hash as u64).cast_signed()
    }
}

impl Entry for Stack<'_> {
    touch!(stack);

    fn key(&self, key: &mut Key<'_>) {
        key.text(self.json);
    }

    fn find(&self, conn: &mut SqliteConnection) -> QueryResult<Option<Known>> {
        let same_hash: Vec<(i64, i64, Vec<u8>)> = stack::table
            .filter(stack::hash.eq(self.hash()))
            .select((stack::id, stack::last_seen, stack::data))
            .load(conn)?;
        Ok(same_hash
            .into_iter()
            .find(|(_, _, data)| unpack(data).is_ok_and(|text| text == self.json.as_bytes()))
            .map(|(id, last_seen, _)| (id, last_seen).into()))
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
