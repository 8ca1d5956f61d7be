//! Takes from blocks the transactions and spans of traces that go.

use std::collections::{BTreeMap, HashMap, HashSet};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Text};
use diesel::{delete, sql_query};

use super::super::super::block::SLOTS;
use super::super::super::error::StoreError;
use super::super::super::options::TailSampling;
use super::super::super::schema::{block, trace_at};
use super::super::super::statement::Run as _;
use super::super::super::trace_index;
use super::super::delete as rows;
use super::super::thin::{self, Thinned, Thinner, numbers};
use super::{Dated, Decision, Row, Tail};

/// The events of a block.
#[derive(Default)]
struct Sorted {
    stay: Vec<i64>,
    gone: Vec<i64>,
    /// Those that stand for others.
    shared: Vec<i64>,
    /// The bits of the keys of the traces.
    staying: HashSet<u64>,
    going: HashSet<u64>,
}

impl Sorted {
    fn add(&mut self, row: &Row, decision: Option<Decision>) {
        let bits = row.trace_id.as_ref().map(|id| trace_index::bits(id.hash()));
        if decision == Some(Decision::Goes) {
            self.gone.push(row.seq);
            self.going.extend(bits);
            return;
        }
        self.stay.push(row.seq);
        self.staying.extend(bits);
        if decision == Some(Decision::InShare) {
            self.shared.push(row.seq);
        }
    }
}

/// Samples blocks, the oldest that were not; returns how many events are gone.
pub(super) fn blocks(
    conn: &mut SqliteConnection,
    thinner: &mut Thinner,
    tail: &Tail,
    policy: &TailSampling,
    blocks: &[Dated],
) -> Result<u64, StoreError> {
    let (Some((oldest, _)), Some((newest, _))) = (blocks.first(), blocks.last()) else {
        return Ok(0);
    };
    let (first, last) = numbers(*oldest, *newest);
    let mut by_block = sort(conn, tail, policy, (*oldest, *newest))?;
    let packed = pack(conn, thinner, &mut by_block)?;
    let of_all = |part: fn(&Sorted) -> &Vec<i64>| -> Vec<i64> {
        by_block.values().flat_map(part).copied().collect()
    };
    let gone = of_all(|block| &block.gone);
    if !gone.is_empty() {
        rows::count(conn, first, last, -1)?;
        let list = rows::list(gone.iter().copied());
        for table in ["tx", "span_row", "sent_time"] {
            sql_query(format!(
                "DELETE FROM {table} WHERE seq IN (SELECT value FROM json_each(?))"
            ))
            .bind::<Text, _>(&list)
            .run(conn)?;
        }
        rows::shared_ids(conn, first, last)?;
        rows::count(conn, first, last, 1)?;
        rows::forget_counts(conn)?;
    }
    let shared = of_all(|block| &block.shared);
    if !shared.is_empty() {
        let list = rows::list(shared);
        for table in ["tx", "span_row"] {
            sql_query(format!(
                "UPDATE {table} SET weight = ? WHERE seq IN (SELECT value FROM json_each(?))"
            ))
            .bind::<Double, _>(1.0 / policy.share)
            .bind::<Text, _>(&list)
            .run(conn)?;
        }
    }
    replace(conn, &by_block, packed)?;
    sql_query(
        "INSERT INTO kept_state (id, thinned, chosen, sampled) VALUES (1, 0, 0, ?1) \
         ON CONFLICT (id) DO UPDATE SET sampled = excluded.sampled",
    )
    .bind::<BigInt, _>(newest + 1)
    .run(conn)?;
    Ok(gone.len() as u64)
}

/// The events of some blocks by what becomes of them.
fn sort(
    conn: &mut SqliteConnection,
    tail: &Tail,
    policy: &TailSampling,
    (oldest, newest): (i64, i64),
) -> QueryResult<BTreeMap<i64, Sorted>> {
    let (first, last) = numbers(oldest, newest);
    let found: Vec<Row> = sql_query(include_str!("rows.sql"))
        .bind::<BigInt, _>(first)
        .bind::<BigInt, _>(last)
        .bind::<BigInt, _>(oldest)
        .bind::<BigInt, _>(newest)
        .load(conn)?;
    let mut by_block: BTreeMap<i64, Sorted> = BTreeMap::new();
    for row in found {
        let decision = match &row.trace_id {
            Some(trace) if row.can_go != 0 => {
                Some(tail.decide(policy.share, trace, row.is_kept != 0))
            }
            _ => None,
        };
        let of_block = by_block.entry(row.seq.div_euclid(SLOTS)).or_default();
        of_block.add(&row, decision);
    }
    Ok(by_block)
}

/// Packs what stays of the blocks from which something goes. Of one that cannot be read all stays: whoever reads its
/// rows still finds them.
fn pack(
    conn: &mut SqliteConnection,
    thinner: &mut Thinner,
    by_block: &mut BTreeMap<i64, Sorted>,
) -> Result<HashMap<i64, Thinned>, StoreError> {
    let mut packed = HashMap::new();
    for (id, of_block) in by_block.iter_mut() {
        if of_block.gone.is_empty() || of_block.stay.is_empty() {
            continue;
        }
        match thin::pack(conn, thinner, *id, &of_block.stay)? {
            Some(block) => {
                packed.insert(*id, block);
            }
            None => of_block.gone.clear(),
        }
    }
    Ok(packed)
}

/// Writes the blocks, and forgets the places of traces that are gone.
fn replace(
    conn: &mut SqliteConnection,
    by_block: &BTreeMap<i64, Sorted>,
    mut packed: HashMap<i64, Thinned>,
) -> QueryResult<()> {
    for (id, of_block) in by_block {
        if of_block.gone.is_empty() {
            continue;
        }
        match packed.remove(id) {
            Some(block) => {
                let events = i64::try_from(of_block.stay.len()).unwrap_or(SLOTS);
                thin::write(conn, *id, events, block)?;
            }
            None => {
                delete(block::table.find(id)).run(conn)?;
            }
        }
        let segment = trace_index::segment(id * SLOTS);
        // Another trace may have the same key.
        for bits in of_block.going.difference(&of_block.staying) {
            let key = (trace_index::key(segment, *bits), *id);
            delete(trace_at::table.find(key)).run(conn)?;
        }
    }
    Ok(())
}
