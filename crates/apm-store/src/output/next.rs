//! The events that come next.

use diesel::prelude::*;

use super::super::block::SLOTS;
use super::super::error::StoreError;
use super::super::events::{self, Texts};
use super::super::kept;
use super::super::schema::block;
use crate::event::StoredEvent;

/// Events of one block.
#[derive(Debug)]
pub struct Next {
    /// When the last event of the block arrived, seconds since the epoch.
    pub received: i64,
    /// The number of the last event that the block has now.
    pub last: i64,
    /// The events, in the order of their numbers; or why they cannot be read, and how many they are.
    pub events: Result<Vec<StoredEvent>, (StoreError, i64)>,
}

/// The newest events of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Newest {
    /// The number of the last one.
    pub last: i64,
    /// When the first event behind another arrived at the latest, seconds since the epoch.
    pub waiting_since: Option<i64>,
}

/// The events behind one, of the first block that has any; none where there are none yet.
///
/// # Errors
/// If the store cannot be read. A block that is damaged is told with the block.
pub fn next(
    conn: &mut SqliteConnection,
    texts: &mut Texts,
    after: i64,
) -> Result<Option<Next>, StoreError> {
    let first = after + 1;
    // Events in blocks that were thinned out are counted as lost. Blocks are sampled only when they are sent.
    let complete = kept::first_complete_block(conn)?;
    let mut from = first.div_euclid(SLOTS).max(complete);
    loop {
        let found: Option<(i64, i64, i32)> = block::table
            .filter(block::id.ge(from))
            .order(block::id.asc())
            .select((block::id, block::received, block::events))
            .get_result(conn)
            .optional()?;
        let Some((id, received, events)) = found else {
            return Ok(None);
        };
        let last = id * SLOTS + i64::from(events) - 1;
        // The block has nothing new, or it was closed early and its last numbers stay unused.
        if last <= after {
            from = id + 1;
            continue;
        }
        let events = match events::of_range(conn, texts, id, first, last) {
            Ok(events) => Ok(events),
            Err(error @ (StoreError::BadBlock(_) | StoreError::Corrupt(_))) => {
                Err((error, last - after.max(id * SLOTS - 1)))
            }
            Err(error) => return Err(error),
        };
        return Ok(Some(Next {
            received,
            last,
            events,
        }));
    }
}

/// The newest events, and since when those behind `after` wait.
pub fn newest(conn: &mut SqliteConnection, after: i64) -> QueryResult<Newest> {
    let last: Option<(i64, i32)> = block::table
        .order(block::id.desc())
        .select((block::id, block::events))
        .get_result(conn)
        .optional()?;
    let last = last.map_or(-1, |(id, events)| id * SLOTS + i64::from(events) - 1);
    let waiting_since = match last > after {
        true => block::table
            .filter(
                block::id.ge((after + 1)
                    .div_euclid(SLOTS)
                    .max(kept::first_complete_block(conn)?)),
            )
            .order(block::id.asc())
            .select(block::received)
            .get_result(conn)
            .optional()?,
        false => None,
    };
    Ok(Newest {
        last,
        waiting_since,
    })
}
