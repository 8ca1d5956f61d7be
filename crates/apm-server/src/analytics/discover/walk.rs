//! Through the blocks of a range, newest first.

use std::collections::HashSet;

use apm_store::StoreError;
use apm_store::event::Kind;
use apm_time::Range;
use diesel::deserialize;
use diesel::prelude::*;
use diesel::row::NamedRow;
use diesel::sql_types::BigInt;
use diesel::sqlite::Sqlite;

use super::Request;
use super::blocks::{Block, Blocks, LEAST_BLOCKS, Least, runs};
use super::columns;
use super::hits::{Page, Place, load, newest_first};
use crate::analytics::condition::Condition;
use crate::analytics::deadline::Deadline;
use crate::analytics::sql::{Sql, column};

/// Blocks looked at together: first few, for the newest hits are near; then more, for speed.
const FIRST_STRIDE: usize = 4;
const LAST_STRIDE: usize = 256;

/// The newest hits.
pub(super) struct Newest {
    pub(super) page: Page,
    /// Whether there was time to look at all that may be among them.
    pub(super) complete: bool,
}

/// A request, translated for each kind of event that can satisfy it.
pub(super) struct Search<'a> {
    pub(super) request: &'a Request,
    pub(super) parts: Vec<(Kind, Condition)>,
}

/// An event that the columns do not rule out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) ts: i64,
    pub(super) seq: i64,
    pub(super) resource_id: i64,
}

impl QueryableByName<Sqlite> for Candidate {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> deserialize::Result<Self> {
        Ok(Self {
            ts: column::<BigInt, _>(row, 0, "ts")?,
            seq: column::<BigInt, _>(row, 1, "seq")?,
            resource_id: column::<BigInt, _>(row, 2, "resource_id")?,
        })
    }
}

impl Candidate {
    pub(super) fn place(&self) -> Place {
        (self.ts, self.seq)
    }
}

impl<'a> Search<'a> {
    pub(super) fn new(request: &'a Request) -> Self {
        Self::for_kinds(request, &Kind::ALL)
    }

    /// The same of some kinds of events.
    pub(super) fn for_kinds(request: &'a Request, kinds: &[Kind]) -> Self {
        let parts = kinds
            .iter()
            .copied()
            .map(|kind| (kind, columns::condition(kind, &request.query)))
            .filter(|(_, condition)| !condition.is_never())
            .collect();
        Self { request, parts }
    }

    /// Whether no document has to be read to decide.
    pub(super) fn is_exact(&self) -> bool {
        self.parts.iter().all(|(_, condition)| condition.exact)
    }

    /// The blocks that may have events that it finds.
    pub(super) fn blocks(
        &self,
        conn: &mut SqliteConnection,
        range: Range,
    ) -> Result<Blocks, StoreError> {
        let kinds = self.parts.iter().map(|(kind, _)| *kind);
        Blocks::new(conn, range, Least::of_query(&self.request.query, kinds))
    }

    /// The newest hits, where the columns decide, and where the next page goes on if there is one: after the last of
    /// them, or where time was up. Blocks that are known to be `empty` are left out. Where blocks overlap so much that
    /// no hit has its place then, these are the newest of what was looked at, and no page goes on.
    pub(super) fn newest(
        &self,
        conn: &mut SqliteConnection,
        size: usize,
        deadline: &Deadline,
        empty: &HashSet<i64>,
    ) -> Result<Newest, StoreError> {
        let mut found = Newest {
            page: Page::default(),
            complete: true,
        };
        if size == 0 {
            return Ok(found);
        }
        let mut best: Vec<Place> = Vec::new();
        let range = self.older();
        let mut blocks = self.blocks(conn, range)?;
        let mut stopped = None;
        let mut stride = FIRST_STRIDE;
        let mut looked_at = 0_usize;
        loop {
            let mut some = blocks.next(conn, stride)?;
            if some.is_empty() {
                break;
            }
            some.retain(|block| !empty.contains(&block.id));
            let Some(newest) = some.first().map(|block| block.ts_max) else {
                // All of these are known to be empty: the next hits are further away.
                stride = LAST_STRIDE;
                continue;
            };
            let oldest = best.get(size - 1).map(|(ts, _)| *ts);
            if oldest.is_some_and(|oldest| oldest > newest) {
                break;
            }
            if !deadline.allows_more(looked_at, 1) {
                // Hits that are newer than all that is left have their place. There has to be some progress, or going
                // on would not come to an end.
                let stop = (newest.saturating_add(1), 0);
                let is_further = stop.0 < range.to && self.is_after(stop);
                if is_further {
                    best.retain(|place| *place >= stop);
                    stopped = Some(stop);
                }
                if is_further || looked_at > LEAST_BLOCKS {
                    found.complete = false;
                    break;
                }
            }
            // Once there are enough, only newer ones count.
            let from = oldest.unwrap_or(range.from);
            let candidates = self.candidates(conn, &some, Range { from, ..range })?;
            let places = candidates.iter().map(Candidate::place);
            best.extend(places.filter(|place| self.is_after(*place)));
            newest_first(&mut best, size);
            looked_at += some.len();
            stride = (stride * 2).min(LAST_STRIDE);
        }
        found.page = load(conn, &best, size, stopped, deadline)?;
        if !found.complete && stopped.is_none() {
            found.page.next = None;
        }
        Ok(found)
    }

    /// The part of the range that holds what comes after the cursor.
    pub(super) fn older(&self) -> Range {
        let Range { from, to } = self.request.range;
        let after = self.request.after;
        let to = after.map_or(to, |after| to.min(after.timestamp.saturating_add(1)));
        Range { from, to }
    }

    pub(super) fn is_after(&self, (timestamp, seq): Place) -> bool {
        let after = self.request.after;
        after.is_none_or(|after| (timestamp, seq) < (after.timestamp, after.seq))
    }

    /// Events of some blocks in a range that the columns do not rule out.
    pub(super) fn candidates(
        &self,
        conn: &mut SqliteConnection,
        blocks: &[Block],
        range: Range,
    ) -> Result<Vec<Candidate>, StoreError> {
        let runs = runs(blocks);
        let mut found = Vec::new();
        for (kind, condition) in &self.parts {
            let text = format!(
                "SELECT r.ts, r.seq, r.resource_id\n\
                 FROM json_each(:runs) run\n\
                 CROSS JOIN {} r NOT INDEXED ON r.seq >= (run.value ->> 0) * 128 AND r.seq < (run.value ->> 1) * 128\n\
                 WHERE r.ts >= :from AND r.ts < :to\n  AND {}",
                columns::table(*kind),
                condition.sql(),
            );
            let sql = Sql::new(text).bind("runs", runs.as_str());
            let rows: Vec<Candidate> = bound(sql, range, condition).load(conn)?;
            found.extend(rows);
        }
        Ok(found)
    }
}

/// Sets what a query asks for.
pub(super) fn bound(sql: Sql, range: Range, condition: &Condition) -> Sql {
    let mut sql = sql.bind("from", range.from).bind("to", range.to);
    if condition.is_always() {
        // The text is the same for whatever asks for all events of a kind.
        sql = sql.kept();
    }
    let binds = condition.binds.iter().enumerate();
    binds.fold(sql, |sql, (index, value)| {
        sql.bind(format!("q{index}"), value.clone())
    })
}
