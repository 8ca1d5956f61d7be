//! Events read back: columns, documents, stacks and metadata put together again.

mod rows;
mod scan;

use std::collections::HashMap;
use std::sync::Arc;

use diesel::dsl::{max, min};
use diesel::prelude::*;

use super::block::{Document, Packed, SLOTS, documents, unpack};
use super::error::StoreError;
use super::id::StoredId;
use super::schema::{block, resource, stack, trace_at};
use super::trace_index;
use crate::event::{Kind, StoredEvent};
use rows::Row;
pub use scan::{Texts, Wanted, of_block};

/// The events of these numbers, in their order; numbers that are not there (any more) are left out, and one that is
/// asked for twice comes once.
pub fn events(conn: &mut SqliteConnection, seqs: &[i64]) -> Result<Vec<StoredEvent>, StoreError> {
    Ok(events_while(conn, seqs, |_| true)?.0)
}

/// The progress of a reading of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Of how many of the numbers asked for, from the first on, the events were read.
    pub seqs: usize,
    /// Bytes of the events that were read, as they are stored.
    pub bytes: usize,
}

/// The same for as long as `goes_on` says so, which is asked before each block but the first; and of how many of the
/// numbers these are all. Each block is unpacked once, in whatever order its events are asked for: to read the events
/// of a page in parts would unpack the same blocks for each part.
pub fn events_while(
    conn: &mut SqliteConnection,
    seqs: &[i64],
    mut goes_on: impl FnMut(Progress) -> bool,
) -> Result<(Vec<StoredEvent>, usize), StoreError> {
    // Each block with the place of the first of its events, in the order of these places.
    let mut wanted: Vec<(usize, Vec<i64>)> = Vec::new();
    let mut places: HashMap<i64, usize> = HashMap::new();
    for (index, seq) in seqs.iter().enumerate() {
        let place = *places.entry(seq.div_euclid(SLOTS)).or_insert(wanted.len());
        if place == wanted.len() {
            wanted.push((index, Vec::new()));
        }
        wanted[place].1.push(*seq);
    }
    let mut texts = Texts::default();
    let mut reader = Reader::new(conn, &mut texts);
    let mut found = HashMap::with_capacity(seqs.len());
    let mut bytes = 0;
    let mut whole = seqs.len();
    for (index, mut seqs) in wanted {
        let progress = Progress { seqs: index, bytes };
        if index > 0 && !goes_on(progress) {
            whole = index;
            break;
        }
        seqs.sort_unstable();
        let block = seqs[0].div_euclid(SLOTS);
        for event in reader.block(block, &runs(&seqs), |row| {
            seqs.binary_search(&row.seq).is_ok()
        })? {
            bytes += event.stored_bytes();
            found.insert(event.seq, event);
        }
    }
    let own = seqs[..whole].iter().filter_map(|seq| found.remove(seq));
    Ok((own.collect(), whole))
}

/// The events of a block from `first` to `last`, in the order of their numbers.
pub(super) fn of_range(
    conn: &mut SqliteConnection,
    texts: &mut Texts,
    block: i64,
    first: i64,
    last: i64,
) -> Result<Vec<StoredEvent>, StoreError> {
    let first = first.max(block * SLOTS);
    let mut events = Reader { conn, texts }.block(block, &[(first, last)], |_| true)?;
    events.sort_unstable_by_key(|event| event.seq);
    Ok(events)
}

/// The blocks that may hold events of a trace, oldest first.
pub fn trace_blocks(conn: &mut SqliteConnection, id: &str) -> Result<Vec<i64>, StoreError> {
    Reader::new(conn, &mut Texts::default()).blocks_of(&StoredId::from(id))
}

/// All events of a trace, by time and then by arrival: transactions, spans, errors and logs.
pub fn trace(conn: &mut SqliteConnection, id: &str) -> Result<Vec<StoredEvent>, StoreError> {
    let blocks = trace_blocks(conn, id)?;
    trace_in(conn, id, &blocks)
}

/// Those of some blocks alone: a large trace does not have to fit into memory.
pub fn trace_in(
    conn: &mut SqliteConnection,
    id: &str,
    blocks: &[i64],
) -> Result<Vec<StoredEvent>, StoreError> {
    let id = StoredId::from(id);
    let mut texts = Texts::default();
    let mut reader = Reader::new(conn, &mut texts);
    let mut events = Vec::new();
    for block in blocks {
        let first = block * SLOTS;
        // Of a block, events of other traces are passed over by their rows, before anything is copied.
        events.extend(reader.block(*block, &[(first, first + SLOTS - 1)], |row| {
            row.trace_id.as_ref() == Some(&id)
        })?);
    }
    events.sort_unstable_by_key(|event| (event.timestamp, event.seq));
    Ok(events)
}

/// Numbers that nobody asked for, which may lie in a run: to read some rows more takes less time than another query.
const GAP: i64 = 4;

/// The runs of some numbers in ascending order: first and last of each.
fn runs(seqs: &[i64]) -> Vec<(i64, i64)> {
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for seq in seqs {
        match runs.last_mut() {
            Some((_, last)) if seq - *last <= GAP + 1 => *last = *seq,
            _ => runs.push((*seq, *seq)),
        }
    }
    runs
}

struct Reader<'c> {
    conn: &'c mut SqliteConnection,
    texts: &'c mut Texts,
}

impl<'c> Reader<'c> {
    fn new(conn: &'c mut SqliteConnection, texts: &'c mut Texts) -> Self {
        Self { conn, texts }
    }

    /// The blocks that may hold events of a trace: one probe per segment.
    fn blocks_of(&mut self, id: &StoredId) -> Result<Vec<i64>, StoreError> {
        // Each is one entry of the index. `first` binds a LIMIT: SQLite prepares such a statement anew each time.
        let first: Option<i64> = trace_at::table
            .select(min(trace_at::key))
            .filter(trace_at::key.ge(0))
            .get_result(self.conn)?;
        let last: Option<i64> = trace_at::table
            .select(max(trace_at::key))
            .get_result(self.conn)?;
        let Some(last) = last else {
            return Ok(Vec::new());
        };
        // If kept traces are all there is, no other segment is probed.
        let first = first.unwrap_or(i64::MAX);
        let hash = id.hash();
        let mut blocks = Vec::new();
        let first = trace_index::segment_of_key(first).max(0);
        let last = trace_index::segment_of_key(last);
        for segment in std::iter::once(trace_index::KEPT).chain(first..=last) {
            let found: Vec<i64> = trace_at::table
                .filter(trace_at::key.eq(trace_index::key(segment, hash)))
                .select(trace_at::block)
                .load(self.conn)?;
            blocks.extend(found);
        }
        Ok(blocks)
    }

    /// The events of a block that are in some ranges of numbers and whose row is wanted.
    fn block(
        &mut self,
        id: i64,
        ranges: &[(i64, i64)],
        wanted: impl Fn(&Row) -> bool,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let Some(block) = packed(self.conn, id)? else {
            return Ok(Vec::new());
        };
        // A block is unpacked once for all ranges of it.
        let raw = block.unpack()?;
        self.rows(id, &documents(&raw)?, block.sums(), ranges, wanted)
    }

    /// The same where the block is unpacked already.
    fn rows(
        &mut self,
        id: i64,
        documents: &[Option<Document<'_>>],
        sums: Option<&[u8]>,
        ranges: &[(i64, i64)],
        wanted: impl Fn(&Row) -> bool,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let document = |seq: i64| {
            let slot = usize::try_from(seq - id * SLOTS).ok()?;
            documents.get(slot)?.as_ref()
        };
        let mut found = Vec::new();
        for (first, last) in ranges {
            // Documents tell the kinds that a range has. Tables of the others are not asked.
            let there = |kind: &Kind| {
                let mut seqs = *first..=*last;
                seqs.any(|seq| document(seq).is_some_and(|document| document.kind == *kind))
            };
            for kind in Kind::ALL.into_iter().filter(there) {
                rows::each(self.conn, kind, (*first, *last), sums, |row| {
                    if wanted(&row) {
                        found.push(row);
                    }
                })?;
            }
        }
        found
            .into_iter()
            .map(|row| {
                let document = document(row.seq).ok_or_else(|| {
                    StoreError::BadBlock(format!("event {} has no document", row.seq))
                })?;
                self.whole(row, document)
            })
            .collect()
    }

    fn whole(&mut self, row: Row, document: &Document<'_>) -> Result<StoredEvent, StoreError> {
        let resource = self.resource(row.resource_id)?;
        let stack = match document.stack {
            0 => None,
            id => Some(self.stack(id)?),
        };
        let text = |id: Option<StoredId>| id.map(|id| id.to_string());
        Ok(StoredEvent {
            seq: row.seq,
            kind: document.kind,
            resource,
            id: text(row.id),
            trace_id: text(row.trace_id),
            transaction_id: text(row.transaction_id),
            parent_id: text(row.parent_id),
            timestamp: row.timestamp,
            duration: row.duration,
            name: row.name,
            event_type: row.event_type,
            subtype: row.subtype,
            action: row.action,
            result: row.result,
            outcome: row.outcome,
            sampled: row.sampled,
            sample_rate: row.sample_rate,
            spans_started: row.spans_started,
            spans_dropped: row.spans_dropped,
            grouping_key: row.grouping_key,
            rest: document.json.to_owned(),
            stack,
        })
    }

    fn resource(&mut self, id: i64) -> Result<Arc<str>, StoreError> {
        if let Some(document) = self.texts.resource(id) {
            return Ok(document);
        }
        let document: String = resource::table
            .find(id)
            .select(resource::document)
            .get_result(self.conn)?;
        let document: Arc<str> = document.into();
        self.texts.keep_resource(id, &document);
        Ok(document)
    }

    fn stack(&mut self, id: i64) -> Result<String, StoreError> {
        // Stacks are shared by many events, and unpacking one costs more than a copy.
        if let Some(json) = self.texts.stack(id) {
            return Ok(json);
        }
        let data: Vec<u8> = stack::table
            .find(id)
            .select(stack::data)
            .get_result(self.conn)?;
        let json = String::from_utf8(unpack(&data)?)
            .map_err(|_| StoreError::BadBlock(format!("stack {id} is not text")))?;
        self.texts.keep_stack(id, &json);
        Ok(json)
    }
}

/// Reads a block; nothing where it is gone.
pub(super) fn packed(conn: &mut SqliteConnection, id: i64) -> QueryResult<Option<Packed>> {
    block::table
        .find(id)
        .select(Packed::as_select())
        .get_result(conn)
        .optional()
}

/// Whether the documents of a block and the rows of its events are as they were stored.
pub(super) fn check_block(conn: &mut SqliteConnection, id: i64) -> Result<(), StoreError> {
    let Some(block) = packed(conn, id)? else {
        return Ok(());
    };
    let raw = block.unpack()?;
    let documents = documents(&raw)?;
    let (first, last) = (id * SLOTS, (id + 1) * SLOTS - 1);
    for kind in Kind::ALL {
        let wanted = documents
            .iter()
            .flatten()
            .filter(|document| document.kind == kind);
        let (wanted, mut found) = (wanted.count(), 0);
        rows::each(conn, kind, (first, last), block.sums(), |_| {
            found += 1;
        })?;
        // A row that is lost shows here: its document is still in the block.
        if wanted != found {
            return Err(StoreError::BadBlock(format!(
                "{found} rows of {wanted} events of the kind {}",
                kind.as_str()
            )));
        }
    }
    Ok(())
}
