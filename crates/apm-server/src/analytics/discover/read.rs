//! Through the documents that columns do not decide, for as long as there is time.
//!
//! Each block is unpacked once, the block with the newest event first. What is newer than all events of the blocks that
//! are left has its place among the hits. Where times in the blocks overlap, it may be that nothing has its place yet
//! when the time is nearly up. Then the newest events of the blocks that are left are looked at, so that the next page
//! begins further on.

use std::collections::HashMap;

use apm_store::document::Documents;
use apm_store::{StoreError, Texts, Wanted, of_block};
use apm_time::Range;
use diesel::SqliteConnection;
use serde_json::Value as Json;

use super::Cursor;
use super::blocks::{Block, LEAST_BLOCKS};
use super::hits::{Hit, Place, load, newest_first};
use super::sieve::Sieve;
use super::walk::{Candidate, Search};
use crate::analytics::deadline::Deadline;

/// Blocks whose rows are looked at together: first one, for there may be no time for more; then more, for speed.
const TOGETHER: usize = 64;
/// Events that are looked at when the time is up and nothing has its place.
const NEAREST: usize = 512;
/// Events of these that are looked at together, and in any case: each may lie in a block of its own.
const LEAST: usize = 32;
/// Blocks of which the newest events are looked for: more are too many for the rest of the time.
const MOST_LEFT: usize = 8_192;

/// The result of a reading.
pub(super) struct Read {
    /// Whether every document was looked at.
    pub(super) complete: bool,
    /// The newest after the cursor.
    pub(super) hits: Vec<Hit>,
    /// The start of the next page, if there is one: after the last hit, or where time was up.
    pub(super) next: Option<Cursor>,
}

/// The end of a reading.
enum End {
    /// Through all.
    Whole,
    /// Everything from there on was looked at.
    At(Place),
    /// The events that were looked at are no stretch of time, and too much is left to find one.
    Nowhere,
}

/// The question of a search, and the state of its reading.
struct Walk<'a, 'f> {
    range: Range,
    wanted: &'a dyn Fn(Place) -> bool,
    deadline: &'a Deadline,
    sieve: Sieve,
    texts: Texts,
    documents: Documents,
    found: &'a mut (dyn FnMut(Place, &Json) + 'f),
}

impl Search<'_> {
    /// Reads every document that the columns leave over, until the deadline: those after the cursor first, for they are
    /// the page, then the newer ones, for the totals. Calls `each` for those that match.
    pub(super) fn read_all(
        &self,
        conn: &mut SqliteConnection,
        size: usize,
        deadline: &Deadline,
        each: &mut dyn FnMut(Place, &Json),
    ) -> Result<Read, StoreError> {
        let is_after = |place| self.is_after(place);
        let mut page: Vec<Place> = Vec::new();
        let end = self.read(
            conn,
            Walk::new(
                self,
                self.older(),
                &is_after,
                deadline,
                &mut |place, document| {
                    each(place, document);
                    page.push(place);
                    // Sorted now and then, so that memory does not grow with the hits.
                    if page.len() > size.saturating_mul(2) + 64 {
                        newest_first(&mut page, size);
                    }
                },
            ),
        )?;
        newest_first(&mut page, size);
        let stopped = match end {
            End::At(place) => Some(place),
            End::Whole | End::Nowhere => None,
        };
        page.retain(|place| stopped.is_none_or(|stopped| *place >= stopped));
        let mut complete = matches!(end, End::Whole);
        let page = load(conn, &page, size, stopped, deadline)?;
        if let Some(after) = self.request.after.filter(|_| complete) {
            let Range { from, to } = self.request.range;
            let newer = Range {
                from: from.max(after.timestamp),
                to,
            };
            let is_before = |place| !is_after(place);
            let mut found = |place: Place, document: &Json| each(place, document);
            let walk = Walk::new(self, newer, &is_before, deadline, &mut found);
            complete = matches!(self.read(conn, walk)?, End::Whole);
        }
        Ok(Read {
            complete,
            hits: page.hits,
            next: page.next,
        })
    }

    /// The places of all matching events, and the time back to which all were looked at, for as long as there is time;
    /// where columns decide, also for as long as there are fewer than `most`.
    pub(super) fn places(
        &self,
        conn: &mut SqliteConnection,
        deadline: &Deadline,
        most: usize,
    ) -> Result<(Vec<Place>, i64), StoreError> {
        let range = self.request.range;
        let mut places = Vec::new();
        if self.is_exact() {
            let blocks = self.blocks(conn, range)?.all(conn)?;
            for some in blocks.chunks(TOGETHER) {
                let newest = some.first().map_or(range.from, |block| block.ts_max);
                if places.len() >= most || deadline.is_over() {
                    return Ok((places, newest.saturating_add(1).min(range.to)));
                }
                let found = self.candidates(conn, some, range)?;
                places.extend(found.iter().map(Candidate::place));
            }
            return Ok((places, range.from));
        }
        let every = |_| true;
        let mut found = |place: Place, _: &Json| places.push(place);
        let walk = Walk::new(self, range, &every, deadline, &mut found);
        let reached = match self.read(conn, walk)? {
            End::Whole => range.from,
            End::At((timestamp, _)) => timestamp,
            End::Nowhere => range.to,
        };
        Ok((places, reached))
    }

    fn read(&self, conn: &mut SqliteConnection, mut walk: Walk<'_, '_>) -> Result<End, StoreError> {
        let blocks = self.blocks(conn, walk.range)?.all(conn)?;
        let early = walk.deadline.part(0.75);
        let mut together = 1;
        let mut left = &*blocks;
        while !left.is_empty() {
            let (some, _) = left.split_at(together.min(left.len()));
            let mut candidates = self.by_block(conn, some, &walk)?;
            for block in some {
                if left.len() < blocks.len() {
                    let settled = (block.ts_max.saturating_add(1), 0);
                    let is_further = settled.0 < walk.range.to && (walk.wanted)(settled);
                    if is_further && walk.deadline.is_over() {
                        return Ok(End::At(settled));
                    }
                    if !is_further && early.is_over() {
                        return self.nearest(conn, left, &mut walk);
                    }
                }
                if let Some(wanted) = candidates.remove(&block.id) {
                    self.look(conn, &wanted, &mut walk)?;
                }
                left = &left[1..];
            }
            together = (together * 2).min(TOGETHER);
        }
        Ok(End::Whole)
    }

    /// Looks at the newest events of the blocks that are left: for as long as there is time, or of the fewest blocks.
    fn nearest(
        &self,
        conn: &mut SqliteConnection,
        left: &[Block],
        walk: &mut Walk<'_, '_>,
    ) -> Result<End, StoreError> {
        if left.len() > MOST_LEFT {
            return Ok(End::Nowhere);
        }
        let mut newest: Vec<Candidate> = Vec::new();
        let mut range = walk.range;
        for (index, some) in left.chunks(TOGETHER).enumerate() {
            if !walk.deadline.allows_more(index * TOGETHER, LEAST_BLOCKS) {
                return Ok(End::Nowhere);
            }
            let last = newest.get(NEAREST - 1);
            if last.is_some_and(|last| some.first().is_none_or(|block| block.ts_max < last.ts)) {
                break;
            }
            let mut found = self.candidates(conn, some, range)?;
            found.retain(|candidate| (walk.wanted)(candidate.place()));
            newest.append(&mut found);
            newest.sort_unstable_by_key(|candidate| std::cmp::Reverse(candidate.place()));
            newest.truncate(NEAREST);
            // Once there are enough, only newer ones count.
            range.from = newest.get(NEAREST - 1).map_or(range.from, |last| last.ts);
        }
        let is_all = newest.len() < NEAREST;
        let mut end = End::Whole;
        for some in newest.chunks(LEAST) {
            if let End::At(_) = end
                && walk.deadline.is_over()
            {
                return Ok(end);
            }
            for wanted in grouped(some.to_vec()).into_values() {
                self.look(conn, &wanted, walk)?;
            }
            end = some.last().map_or(end, |last| End::At(last.place()));
        }
        Ok(if is_all { End::Whole } else { end })
    }

    /// The candidates of some blocks, by block.
    fn by_block(
        &self,
        conn: &mut SqliteConnection,
        blocks: &[Block],
        walk: &Walk<'_, '_>,
    ) -> Result<HashMap<i64, Vec<Wanted>>, StoreError> {
        let mut candidates = self.candidates(conn, blocks, walk.range)?;
        candidates.retain(|candidate| (walk.wanted)(candidate.place()));
        Ok(grouped(candidates))
    }

    /// Looks at events of one block.
    fn look(
        &self,
        conn: &mut SqliteConnection,
        wanted: &[Wanted],
        walk: &mut Walk<'_, '_>,
    ) -> Result<(), StoreError> {
        let passes = |texts: &[&str]| walk.sieve.passes(texts);
        let sieve = (!walk.sieve.is_open()).then_some(&passes as &dyn Fn(&[&str]) -> bool);
        for event in of_block(conn, &mut walk.texts, wanted, sieve)? {
            let document = walk.documents.document(&event);
            if kql::matches(&self.request.query, &document) {
                (walk.found)((event.timestamp, event.seq), &document);
            }
        }
        Ok(())
    }
}

impl<'a, 'f> Walk<'a, 'f> {
    fn new(
        search: &Search<'_>,
        range: Range,
        wanted: &'a dyn Fn(Place) -> bool,
        deadline: &'a Deadline,
        found: &'a mut (dyn FnMut(Place, &Json) + 'f),
    ) -> Self {
        Self {
            range,
            wanted,
            deadline,
            sieve: Sieve::for_query(&search.request.query),
            texts: Texts::default(),
            documents: Documents::default(),
            found,
        }
    }
}

fn grouped(candidates: Vec<Candidate>) -> HashMap<i64, Vec<Wanted>> {
    let mut by_block: HashMap<i64, Vec<Wanted>> = HashMap::new();
    for candidate in candidates {
        let wanted = by_block
            .entry(Block::containing(candidate.seq))
            .or_default();
        wanted.push(Wanted {
            seq: candidate.seq,
            resource: candidate.resource_id,
        });
    }
    by_block
}
