//! Ids that several spans of a block share: they are stored once.
//!
//! The ids of its trace and of its transaction take 24 bytes of each span, and most spans of a block have them from a
//! few requests. The table `span_trace` holds such a pair once for each block, and rows of spans name its place there;
//! the view `span` puts both together. A parent that is the transaction is left out of the row, too.
//!
//! A pair takes some 35 bytes, so a span that is alone in its block with it keeps its ids. It is not known what comes
//! with the next commits, so a pair is stored when the next events of the batch, or an earlier one of the block, have
//! it too. Only ids of the usual lengths are shared.

use std::collections::HashMap;

use diesel::QueryResult;
use foldhash::fast::RandomState;

use super::Pass;
use crate::block::SLOTS;
use crate::event::{Event, Span};
use crate::insert::Row as _;
use crate::rows::{RowId, SpanRow, SpanTraceRow};

/// Events of the batch that are looked at for one with the same ids.
const AHEAD: usize = 16;

/// The pairs of ids of the block being filled.
#[derive(Debug, Default)]
pub(crate) struct SharedIds {
    /// The place of a trace and a transaction; none where one span had them so far.
    places: HashMap<([u8; 16], i64), Option<i64>, RandomState>,
    /// The next place.
    next: i64,
}

/// The place of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// It is stored at this place.
    Known(i64),
    /// It has to be stored there.
    New(i64),
    /// The span keeps its ids.
    Own,
}

impl SharedIds {
    /// The place for a span's ids. `is_followed`: whether one of the next events has the same.
    fn place(&mut self, ids: ([u8; 16], i64), is_followed: impl FnOnce() -> bool) -> Place {
        match self.places.get(&ids) {
            Some(Some(place)) => return Place::Known(*place),
            None if !is_followed() => {
                self.places.insert(ids, None);
                return Place::Own;
            }
            Some(None) | None => {}
        }
        let place = self.next;
        self.next += 1;
        self.places.insert(ids, Some(place));
        Place::New(place)
    }

    /// A new block begins.
    pub(super) fn clear(&mut self) {
        self.places.clear();
        self.next = 0;
    }

    /// The number of places that are taken.
    pub(super) fn taken(&self) -> i64 {
        self.next
    }

    /// Goes back to when so many places were taken: pairs that come again get new ones.
    pub(super) fn go_back(&mut self, taken: i64) {
        self.places.clear();
        self.next = taken;
    }
}

impl<'a> Pass<'_, 'a> {
    /// Takes ids out of a row that it shares with others of its block; returns the checksum of the row with them.
    /// `following`: the events behind it in its batch.
    pub(super) fn share_ids(
        &mut self,
        row: &mut SpanRow<'a>,
        event: &Span,
        following: &[Event],
    ) -> QueryResult<u32> {
        let checksum = row.checksum(&mut self.checksum);
        let (trace_id, transaction_id) = (row.trace_id, row.transaction_id);
        let (RowId::Long(trace), Some(transaction_id @ RowId::Short(transaction))) =
            (trace_id, transaction_id)
        else {
            return Ok(checksum);
        };
        let is_same = |other: &Event| {
            matches!(other, Event::Span(span)
                if span.transaction_id == event.transaction_id && span.trace_id == event.trace_id)
        };
        // Those behind the end of the block are in another one.
        let ahead = AHEAD.min((SLOTS - 1 - row.seq % SLOTS) as usize);
        let shared = &mut self.memory.shared_ids;
        let place = shared.place((trace, transaction), || {
            following.iter().take(ahead).any(is_same)
        });
        let place = match place {
            Place::Own => return Ok(checksum),
            Place::Known(place) => place,
            Place::New(place) => {
                let pair = SpanTraceRow {
                    id: row.seq / SLOTS * SLOTS + place,
                    trace_id,
                    transaction_id,
                };
                self.span_traces.push(self.conn, pair)?;
                place
            }
        };
        row.trace_id = RowId::Shared;
        row.transaction_id = Some(RowId::Short(place));
        row.parent_id = row
            .parent_id
            .filter(|parent| !matches!(parent, RowId::Short(parent) if *parent == transaction));
        Ok(checksum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_gets_a_place_when_a_second_span_has_it() {
        let mut shared = SharedIds::default();
        let (one, other) = (([1; 16], 1), ([1; 16], 2));
        assert_eq!(shared.place(one, || false), Place::Own);
        assert_eq!(shared.place(other, || true), Place::New(0));
        assert_eq!(shared.place(one, || false), Place::New(1));
        assert_eq!(shared.place(other, || false), Place::Known(0));
        assert_eq!(shared.place(one, || false), Place::Known(1));
        shared.clear();
        assert_eq!(shared.place(one, || true), Place::New(0));
    }

    #[test]
    fn a_commit_that_failed_leaves_the_places_that_are_taken() {
        let mut shared = SharedIds::default();
        let (one, other) = (([1; 16], 1), ([2; 16], 1));
        shared.place(one, || true);
        let taken = shared.taken();
        shared.place(other, || true);
        shared.go_back(taken);
        assert_eq!(shared.place(other, || true), Place::New(1));
        assert_eq!(shared.place(one, || true), Place::New(2));
    }
}
