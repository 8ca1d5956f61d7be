//! Through the blocks of a range, newest first.

use std::time::Instant;

use apm_store::StoreError;
use apm_store::event::{Kind, StoredEvent};
use apm_time::Range;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use serde_json::Value as Json;

use super::{Cursor, Hit, Request, columns};
use crate::analytics::condition::Condition;
use crate::analytics::sql::Sql;

/// Blocks looked at together: first few, for the newest hits are near; then more, for speed.
const FIRST_STRIDE: usize = 4;
const LAST_STRIDE: usize = 256;

/// The newest hits.
#[derive(Default)]
pub(super) struct Newest {
    pub(super) hits: Vec<Hit>,
    /// Whether there was time to look at all that may be among them.
    pub(super) complete: bool,
    pub(super) next: Option<Cursor>,
}

/// Bytes of events, as they are stored, after which a page of hits ends early: their documents take several times as much memory, and an
/// event may have 300 KiB.
pub(super) const MOST_BYTES: usize = 8 << 20;

/// Events that are read together.
const AT_ONCE: usize = 64;

/// Bytes of an event as it is stored.
pub(super) fn size_of_event(event: &StoredEvent) -> usize {
    event.rest.len() + event.stack.as_ref().map_or(0, String::len) + event.resource.len()
}

/// A request, translated for each kind of event that can satisfy it.
pub(super) struct Search<'a> {
    pub(super) request: &'a Request,
    pub(super) parts: Vec<(Kind, Condition)>,
}

#[derive(QueryableByName)]
pub(super) struct Block {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) ts_max: i64,
}

/// An event that the columns do not rule out.
#[derive(QueryableByName)]
struct Candidate {
    #[diesel(sql_type = BigInt)]
    ts: i64,
    #[diesel(sql_type = BigInt)]
    seq: i64,
}

impl<'a> Search<'a> {
    pub(super) fn new(request: &'a Request) -> Self {
        let parts = Kind::ALL
            .into_iter()
            .map(|kind| (kind, columns::condition(kind, &request.query)))
            .filter(|(_, condition)| !condition.is_never())
            .collect();
        Self { request, parts }
    }

    /// Whether no document has to be read to decide.
    pub(super) fn is_exact(&self) -> bool {
        self.parts.iter().all(|(_, condition)| condition.exact)
    }

    /// The newest hits, where the columns decide, and where the next page goes on if there is one: after the last of them, or where time
    /// was up.
    pub(super) fn newest(
        &self,
        conn: &mut SqliteConnection,
        size: usize,
        deadline: Instant,
    ) -> Result<Newest, StoreError> {
        let mut best: Vec<(i64, i64)> = Vec::new();
        let range = self.older();
        if size == 0 {
            return Ok(Newest::default());
        }
        let mut stopped = None;
        let mut stride = FIRST_STRIDE;
        let mut skip = 0;
        loop {
            let blocks = self.blocks(conn, range, (stride, skip))?;
            let Some(newest) = blocks.first().map(|block| block.ts_max) else {
                break;
            };
            let oldest = best.get(size - 1).map(|(ts, _)| *ts);
            if oldest.is_some_and(|oldest| oldest > newest) {
                break;
            }
            // What is newer than all that is left has its place. There has to be some progress, or going on would not come to an end.
            let stop = (newest.saturating_add(1), 0);
            if skip > 0 && Instant::now() > deadline && stop.0 < range.to && self.is_after(stop) {
                best.retain(|place| *place >= stop);
                stopped = Some(stop);
                break;
            }
            // Once there are enough, only newer ones count.
            let from = oldest.unwrap_or(range.from);
            let found = self.candidates(conn, &blocks, Range { from, ..range })?;
            best.extend(found.into_iter().filter(|event| self.is_after(*event)));
            best.sort_unstable_by(|a, b| b.cmp(a));
            best.truncate(size);
            skip += blocks.len();
            stride = (stride * 2).min(LAST_STRIDE);
        }
        let mut next = match best.last() {
            Some(last) if best.len() == size => Some(*last),
            _ => stopped,
        };
        let mut hits = Vec::with_capacity(best.len());
        let mut bytes = 0;
        for places in best.chunks(AT_ONCE) {
            if bytes >= MOST_BYTES {
                let last = hits.last().map(|hit: &Hit| (hit.timestamp, hit.seq));
                next = last.or(next);
                break;
            }
            let seqs: Vec<i64> = places.iter().map(|(_, seq)| *seq).collect();
            let events = apm_store::events(conn, &seqs)?;
            bytes += events.iter().map(size_of_event).sum::<usize>();
            hits.extend(events.iter().map(hit));
        }
        Ok(Newest {
            hits,
            complete: stopped.is_none(),
            next: next.map(|(timestamp, seq)| Cursor { timestamp, seq }),
        })
    }

    /// The part of the range that holds what comes after the cursor.
    pub(super) fn older(&self) -> Range {
        let Range { from, to } = self.request.range;
        let after = self.request.after;
        let to = after.map_or(to, |after| to.min(after.timestamp.saturating_add(1)));
        Range { from, to }
    }

    pub(super) fn is_after(&self, (timestamp, seq): (i64, i64)) -> bool {
        let after = self.request.after;
        after.is_none_or(|after| (timestamp, seq) < (after.timestamp, after.seq))
    }

    /// Blocks that touch a range, the one with the newest event first: so many, after so many.
    pub(super) fn blocks(
        &self,
        conn: &mut SqliteConnection,
        range: Range,
        (most, skip): (usize, usize),
    ) -> Result<Vec<Block>, StoreError> {
        let sql = Sql::new(
            "SELECT id, ts_max FROM block WHERE ts_max >= :from AND ts_min < :to \
             AND ts_max < :to + (SELECT ifnull(max(ts_max - ts_min), 0) FROM block) \
             ORDER BY ts_max DESC, id DESC LIMIT :most OFFSET :skip",
        );
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        Ok(sql
            .bind("from", range.from)
            .bind("to", range.to)
            .bind("most", number(most))
            .bind("skip", number(skip))
            .load(conn)?)
    }

    /// Events of some blocks in a range that the columns do not rule out: (timestamp, number).
    pub(super) fn candidates(
        &self,
        conn: &mut SqliteConnection,
        blocks: &[Block],
        range: Range,
    ) -> Result<Vec<(i64, i64)>, StoreError> {
        let runs = runs(blocks);
        let mut found = Vec::new();
        for (kind, condition) in &self.parts {
            let text = format!(
                "SELECT r.ts, r.seq\n\
                 FROM json_each(:runs) run\n\
                 CROSS JOIN {} r NOT INDEXED ON r.seq >= (run.value ->> 0) * 128 AND r.seq < (run.value ->> 1) * 128\n\
                 WHERE r.ts >= :from AND r.ts < :to\n  AND {}",
                columns::table(*kind),
                condition.sql(),
            );
            let sql = Sql::new(text).bind("runs", runs.as_str());
            let sql = bound(sql, range, condition);
            let rows: Vec<Candidate> = sql.load(conn)?;
            found.extend(rows.into_iter().map(|row| (row.ts, row.seq)));
        }
        Ok(found)
    }
}

/// Sets what a query asks for.
pub(super) fn bound(sql: Sql, range: Range, condition: &Condition) -> Sql {
    let sql = sql.bind("from", range.from).bind("to", range.to);
    let binds = condition.binds.iter().enumerate();
    binds.fold(sql, |sql, (index, value)| {
        sql.bind(format!("q{index}"), value.clone())
    })
}

/// Runs of block numbers as JSON, `[from, to)` each: blocks of one time mostly follow each other, and a run is one
/// range of rows.
pub(super) fn runs(blocks: &[Block]) -> String {
    let mut ids: Vec<i64> = blocks.iter().map(|block| block.id).collect();
    ids.sort_unstable();
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for id in ids {
        match runs.last_mut() {
            Some((_, end)) if *end == id => *end += 1,
            _ => runs.push((id, id + 1)),
        }
    }
    let runs: Vec<String> = runs
        .iter()
        .map(|(from, to)| format!("[{from},{to}]"))
        .collect();
    format!("[{}]", runs.join(","))
}

pub(super) fn hit(event: &StoredEvent) -> Hit {
    Hit {
        seq: event.seq,
        timestamp: event.timestamp,
        document: document(event),
    }
}

/// The document of an event.
pub(super) fn document(event: &StoredEvent) -> Json {
    apm_store::document::document(event)
}
