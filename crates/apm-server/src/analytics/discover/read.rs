//! Through the documents that columns do not decide, newest first, for as long as there is time.

use std::collections::BinaryHeap;
use std::time::Instant;

use apm_store::StoreError;
use apm_time::Range;
use diesel::SqliteConnection;
use serde_json::Value as Json;

use super::walk::{MOST_BYTES, Search, hit, size_of_event};
use super::{Cursor, Hit};

/// Blocks looked at together.
const BLOCKS: usize = 64;
/// Documents read at once: first few, for there may be no time for more; then more, for speed.
const FIRST: usize = 128;
const AT_ONCE: usize = 512;

/// What was read.
pub(super) struct Read {
    /// Whether every document was looked at.
    pub(super) complete: bool,
    /// The newest after the cursor.
    pub(super) hits: Vec<Hit>,
    /// Where the next page goes on, if there is one: after the last hit, or where time was up.
    pub(super) next: Option<Cursor>,
}

/// Where an event stands: its time, and its number.
type Place = (i64, i64);

impl Search<'_> {
    /// Reads every document that the columns leave over, until the deadline: those after the cursor first, for they are the
    /// page, then the newer ones, for the totals. Calls `each` for those that match.
    pub(super) fn read_all(
        &self,
        conn: &mut SqliteConnection,
        size: usize,
        deadline: Instant,
        each: &mut dyn FnMut(i64, &Json),
    ) -> Result<Read, StoreError> {
        let mut hits: Vec<Hit> = Vec::new();
        // The page is full when it has as many hits as are wanted, or as many bytes as it may.
        let (mut bytes, mut is_full) = (0, size == 0);
        let is_after = |place| self.is_after(place);
        let stopped = self.read(
            conn,
            self.older(),
            &is_after,
            deadline,
            &mut |hit, size_of| {
                each(hit.timestamp, &hit.document);
                if !is_full {
                    hits.push(hit);
                    bytes += size_of;
                    is_full = hits.len() == size || bytes >= MOST_BYTES;
                }
            },
        )?;
        let last = hits.last().map(|hit| (hit.timestamp, hit.seq));
        let next = if is_full { last } else { stopped };
        let mut complete = stopped.is_none();
        if let Some(after) = self.request.after.filter(|_| complete) {
            let Range { from, to } = self.request.range;
            let newer = Range {
                from: from.max(after.timestamp),
                to,
            };
            let stopped = self.read(
                conn,
                newer,
                &|place| !is_after(place),
                deadline,
                &mut |hit, _| {
                    each(hit.timestamp, &hit.document);
                },
            )?;
            complete = stopped.is_none();
        }
        Ok(Read {
            complete,
            hits,
            next: next.map(|(timestamp, seq)| Cursor { timestamp, seq }),
        })
    }

    /// Reads the `wanted` documents of a range, strictly newest first. Returns where the deadline stopped it: everything from
    /// there on was looked at, and that is never nothing, so that who goes on from there comes to an end.
    fn read(
        &self,
        conn: &mut SqliteConnection,
        range: Range,
        wanted: &dyn Fn(Place) -> bool,
        deadline: Instant,
        found: &mut dyn FnMut(Hit, usize),
    ) -> Result<Option<Place>, StoreError> {
        let blocks = self.blocks(conn, range, (usize::MAX, 0))?;
        let mut blocks = blocks.chunks(BLOCKS).peekable();
        let mut known: BinaryHeap<Place> = BinaryHeap::new();
        let mut most = FIRST;
        loop {
            // What is newer than all of the blocks that are left has its place already.
            let left = blocks.peek().and_then(|blocks| blocks.first());
            let left = left.map(|block| block.ts_max);
            let mut places = Vec::new();
            while places.len() < most
                && let Some(place) = known.peek()
                && left.is_none_or(|left| place.0 > left)
            {
                places.extend(known.pop());
            }
            let stop = match (places.last(), left) {
                (Some(last), _) => *last,
                (None, Some(left)) => (left.saturating_add(1), 0),
                (None, None) => return Ok(None),
            };
            if places.is_empty() {
                let next = blocks.next().unwrap_or_default();
                if Instant::now() > deadline && stop.0 < range.to && wanted(stop) {
                    return Ok(Some(stop));
                }
                let candidates = self.candidates(conn, next, range)?;
                known.extend(candidates.into_iter().filter(|place| wanted(*place)));
                continue;
            }
            let seqs: Vec<i64> = places.iter().map(|(_, seq)| *seq).collect();
            for event in apm_store::events(conn, &seqs)? {
                let hit = hit(&event);
                if kql::matches(&self.request.query, &hit.document) {
                    found(hit, size_of_event(&event));
                }
            }
            if Instant::now() > deadline && !(known.is_empty() && left.is_none()) {
                return Ok(Some(stop));
            }
            most = (most * 2).min(AT_ONCE);
        }
    }
}
