//! Takes events out of blocks: all of them, or all but those of kept traces.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Instant;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Integer};
use diesel::{delete, update};

use super::super::block::{Packer, SLOTS, SUM, documents, thinned};
use super::super::error::StoreError;
use super::super::events;
use super::super::id::{Identifier, StoredId};
use super::super::kept;
use super::super::schema::{block, trace_at};
use super::super::statement::Run as _;
use super::super::{output, trace_index};
use super::delete as rows;

/// Bytes of the row of an event with its places in indexes, roughly.
const ROW: i64 = 250;

/// Blocks that are deleted together.
const TOGETHER: usize = 8;

/// The dictionary of stacks in `kept_name`.
const STACK: i32 = 8;

/// Thins blocks out.
#[derive(Debug)]
pub(super) struct Thinner {
    packer: Option<Packer>,
    /// Bytes that one trace may take, unless it is pinned.
    most: i64,
}

impl Thinner {
    pub(super) fn new(most: i64) -> Self {
        Self { packer: None, most }
    }

    /// The compressor of the blocks.
    fn packer(&mut self) -> std::io::Result<&mut Packer> {
        match &mut self.packer {
            Some(packer) => Ok(packer),
            none => Ok(none.insert(Packer::new()?)),
        }
    }
}

/// An event of a kept trace.
#[derive(Debug, QueryableByName)]
struct Stays {
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Identifier)]
    trace_id: StoredId,
}

#[derive(QueryableByName)]
struct Span {
    #[diesel(sql_type = BigInt)]
    first: i64,
    #[diesel(sql_type = BigInt)]
    last: i64,
}

/// The numbers of the first and of the last event of some blocks.
pub(super) fn numbers(first: i64, last: i64) -> (i64, i64) {
    (first * SLOTS, last * SLOTS + SLOTS - 1)
}

/// Deletes blocks and the events in them that are not kept, oldest first, until the deadline; returns how many are
/// done. `ids`: the oldest whole ones, ascending.
pub(super) fn blocks(
    conn: &mut SqliteConnection,
    thinner: &mut Thinner,
    ids: &[i64],
    deadline: Instant,
) -> Result<u64, StoreError> {
    let mut gone = 0;
    for ids in ids.chunks(TOGETHER) {
        let (Some(oldest), Some(newest)) = (ids.first(), ids.last()) else {
            continue;
        };
        output::lose(conn, *oldest, *newest)?;
        whole(conn, thinner, ids)?;
        sql_query(
            "INSERT INTO kept_state (id, thinned, chosen) VALUES (1, ?1, ?1) \
             ON CONFLICT (id) DO UPDATE SET thinned = excluded.thinned, chosen = max(chosen, excluded.chosen)",
        )
        .bind::<BigInt, _>(newest + 1)
        .run(conn)?;
        gone += ids.len() as u64;
        if Instant::now() >= deadline {
            break;
        }
    }
    rows::forget_counts(conn)?;
    Ok(gone)
}

/// Takes from whole blocks what is not kept; `ids`: those between the first and the last of them, ascending.
fn whole(
    conn: &mut SqliteConnection,
    thinner: &mut Thinner,
    ids: &[i64],
) -> Result<(), StoreError> {
    take(conn, thinner, ids, true).map(drop)
}

/// Takes from a block that was thinned out what is not kept any more; returns what is in the keys of the traces that
/// stay.
pub(super) fn again(
    conn: &mut SqliteConnection,
    thinner: &mut Thinner,
    id: i64,
) -> Result<HashSet<u64>, StoreError> {
    take(conn, thinner, &[id], false)
}

fn take(
    conn: &mut SqliteConnection,
    thinner: &mut Thinner,
    ids: &[i64],
    are_whole: bool,
) -> Result<HashSet<u64>, StoreError> {
    let (Some(oldest), Some(newest)) = (ids.first(), ids.last()) else {
        return Ok(HashSet::new());
    };
    let (first, last) = numbers(*oldest, *newest);
    let stay: Vec<Stays> = sql_query(include_str!("keep/rows.sql"))
        .bind::<BigInt, _>(first)
        .bind::<BigInt, _>(last)
        .load(conn)?;
    let mut by_block: BTreeMap<i64, Vec<Stays>> = BTreeMap::new();
    for one in stay {
        by_block
            .entry(one.seq.div_euclid(SLOTS))
            .or_default()
            .push(one);
    }
    let mut packed = HashMap::new();
    for (id, stay) in &by_block {
        let seqs: Vec<i64> = stay.iter().map(|one| one.seq).collect();
        if let Some(block) = pack(conn, thinner, *id, &seqs)? {
            packed.insert(*id, block);
        }
    }
    // A block that cannot be read is deleted as a whole, and the rows of its events with it.
    by_block.retain(|id, _| packed.contains_key(id));
    let list = rows::list(by_block.values().flatten().map(|one| one.seq));
    // Counts are made from rows. So all rows of the range are taken off while they are there, and those that stay are
    // added after the others are gone.
    rows::count(conn, first, last, -1)?;
    rows::events(conn, first, last, &list)?;
    if !by_block.is_empty() {
        rows::count(conn, first, last, 1)?;
    }
    for id in ids {
        match (by_block.get(id), packed.remove(id)) {
            (Some(stay), Some(packed)) => {
                replace(conn, thinner, *id, stay, packed, are_whole)?;
            }
            _ => {
                delete(block::table.find(id)).run(conn)?;
                forget_names(conn, *id)?;
            }
        }
    }
    let stay = by_block.values().flatten();
    Ok(stay
        .map(|one| trace_index::bits(one.trace_id.hash()))
        .collect())
}

/// A block with what stays.
pub(super) struct Thinned {
    data: Vec<u8>,
    sums: Option<Vec<u8>>,
    stacks: Vec<i64>,
    /// The bytes of an event before.
    before: i64,
}

/// Packs what stays of a block; `None` where the block cannot be read. `stay`: numbers of events, ascending.
pub(super) fn pack(
    conn: &mut SqliteConnection,
    thinner: &mut Thinner,
    id: i64,
    stay: &[i64],
) -> Result<Option<Thinned>, StoreError> {
    let Some(whole) = events::packed(conn, id)? else {
        return Ok(None);
    };
    let slot = |seq: i64| usize::try_from(seq - id * SLOTS).unwrap_or(usize::MAX);
    let stays = |at: usize| stay.binary_search_by_key(&at, |seq| slot(*seq)).is_ok();
    let thinned = whole.unpack().and_then(|raw| {
        let all = documents(&raw)?;
        let found = stay
            .iter()
            .all(|seq| matches!(all.get(slot(*seq)), Some(Some(_))));
        if !found {
            return Err(StoreError::BadBlock(
                "an event without a document".to_owned(),
            ));
        }
        let stacks = all.iter().enumerate().filter(|(at, _)| stays(*at));
        let stacks = stacks.filter_map(|(_, document)| document.map(|document| document.stack));
        Ok((
            thinned(&all, stays),
            stacks.filter(|stack| *stack != 0).collect(),
        ))
    });
    let (raw, stacks) = match thinned {
        Ok(thinned) => thinned,
        Err(error) => {
            log::warn!("block {id} cannot be thinned out, as it cannot be read: {error}");
            return Ok(None);
        }
    };
    let packer = thinner
        .packer()
        .map_err(|error| StoreError::BadBlock(format!("zstd: {error}")))?;
    let end = stay.last().map_or(0, |seq| slot(*seq) + 1);
    Ok(Some(Thinned {
        before: each(
            whole.len() + whole.sums().map_or(0, <[u8]>::len),
            whole.events(),
        ),
        data: packer.pack(&raw),
        // The checksum of the whole block stood behind those of its rows. The new one is in the frame.
        sums: whole
            .sums()
            .map(|sums| sums[..sums.len().min(end * SUM)].to_vec()),
        stacks,
    }))
}

/// The bytes of an event of a block.
fn each(bytes: usize, events: i64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX) / events.max(1) + ROW
}

/// Writes a block with what stays, and what refers to it.
fn replace(
    conn: &mut SqliteConnection,
    thinner: &Thinner,
    id: i64,
    stay: &[Stays],
    packed: Thinned,
    was_whole: bool,
) -> Result<(), StoreError> {
    let (first, last) = numbers(id, id);
    let events = i64::try_from(stay.len()).unwrap_or(SLOTS);
    let after = each(
        packed.data.len() + packed.sums.as_ref().map_or(0, Vec::len),
        events,
    );
    let (before, stacks) = (packed.before, write(conn, id, events, packed)?);
    forget_names(conn, id)?;
    sql_query(include_str!("keep/names.sql"))
        .bind::<BigInt, _>(id)
        .bind::<BigInt, _>(first)
        .bind::<BigInt, _>(last)
        .run(conn)?;
    for stack in stacks {
        sql_query("INSERT OR IGNORE INTO kept_name (block, dictionary, id) VALUES (?, ?, ?)")
            .bind::<BigInt, _>(id)
            .bind::<Integer, _>(STACK)
            .bind::<BigInt, _>(stack)
            .run(conn)?;
    }
    let mut traces: HashMap<&StoredId, i64> = HashMap::new();
    for one in stay {
        *traces.entry(&one.trace_id).or_default() += 1;
    }
    for (trace, count) in traces {
        // A trace is charged for its events when their block is first thinned out. Later they are the same events in a
        // block that was packed anew, and only the bytes of each change.
        let more = match was_whole {
            true => (count, count * after),
            false => (0, count * (after - before)),
        };
        weigh(conn, trace, more, thinner.most)?;
        if was_whole {
            move_key(conn, trace, id)?;
        }
    }
    Ok(())
}

/// Writes what stays of a block, after the rows of the rest are gone; returns the stacks that it refers to.
pub(super) fn write(
    conn: &mut SqliteConnection,
    id: i64,
    events: i64,
    packed: Thinned,
) -> QueryResult<Vec<i64>> {
    let (first, last) = numbers(id, id);
    let span = sql_query(include_str!("keep/span_of_time.sql"))
        .bind::<BigInt, _>(first)
        .bind::<BigInt, _>(last)
        .get_result::<Span>(conn)?;
    update(block::table.find(id))
        .set((
            block::ts_min.eq(span.first),
            block::ts_max.eq(span.last),
            block::events.eq(i32::try_from(events).unwrap_or(i32::MAX)),
            block::data.eq(packed.data),
            block::sums.eq(packed.sums),
        ))
        .run(conn)?;
    Ok(packed.stacks)
}

/// Adds to what a kept trace takes. One that takes too much goes, unless it is pinned.
fn weigh(
    conn: &mut SqliteConnection,
    trace: &StoredId,
    (events, bytes): (i64, i64),
    most: i64,
) -> QueryResult<()> {
    let grow = format!(
        "UPDATE kept_trace SET events = events + {events}, bytes = max(bytes + {bytes}, 0) WHERE trace_id = ?"
    );
    kept::bound(conn, &grow, trace)?;
    // All reasons but a pin (1), and not those of traces that are about to go (9).
    let drop = format!(
        "DELETE FROM kept_for WHERE trace_id = ? AND reason BETWEEN 2 AND 8 \
         AND {most} < (SELECT t.bytes FROM kept_trace t WHERE t.trace_id = kept_for.trace_id)"
    );
    kept::bound(conn, &drop, trace)?;
    Ok(())
}

/// The key of a trace goes to the segment of what is kept.
fn move_key(conn: &mut SqliteConnection, trace: &StoredId, id: i64) -> QueryResult<()> {
    let hash = trace.hash();
    let segment = trace_index::segment(id * SLOTS);
    let old = (trace_index::key(segment, hash), id);
    delete(trace_at::table.find(old)).run(conn)?;
    diesel::insert_or_ignore_into(trace_at::table)
        .values((
            trace_at::key.eq(trace_index::key(trace_index::KEPT, hash)),
            trace_at::block.eq(id),
        ))
        .run(conn)?;
    Ok(())
}

fn forget_names(conn: &mut SqliteConnection, id: i64) -> QueryResult<()> {
    sql_query("DELETE FROM kept_name WHERE block = ?")
        .bind::<BigInt, _>(id)
        .run(conn)
        .map(drop)
}
