//! Tail sampling (ADR 385): some minutes after its events arrived, a trace is complete and is judged.
//!
//! * Stored are all events, as without sampling: what was acknowledged survives what it survived before, and rollups,
//!   findings and pages of the last minutes know all of it.
//! * A block is sampled when its last event is older than the wait. Until then everything has arrived of its traces
//!   that will, so [`Tail::look`] reads the blocks behind it, up to the same age, before the first of its events goes.
//! * Traces that matter stay whole, and a share of the others, chosen by a hash of their id: so servers that store
//!   parts of a trace choose alike, and a late part is judged as the rest was. The rows of that share tell how many
//!   they stand for.
//! * Transactions and spans go. Errors, log lines and metrics stay until they are too old.
//!
//! Blocks go in order, so `kept_state.sampled` says which are done. What is remembered of traces is read again after a
//! start.

use std::collections::HashMap;
use std::time::Instant;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Nullable};

use super::super::apply::Memory;
use super::super::block::SLOTS;
use super::super::error::StoreError;
use super::super::first_rows::first_rows;
use super::super::id::{Identifier, StoredId};
use super::super::kept;
use super::super::options::TailSampling;
use super::super::schema::block;
use super::keep::Keeper;
use super::{BLOCKS, Retention, Step};

mod take;

/// Blocks that are sampled together, and that are read together.
const TOGETHER: usize = 8;
const READ: usize = 64;

/// Traces that matter which are remembered: some 20 MB.
const MOST: usize = 500_000;

/// Blocks before the first that is to be sampled which are read after a start.
const BEFORE: usize = 4096;

/// The rules, and the traces that matter among the newest events.
#[derive(Debug)]
pub(super) struct Tail {
    policy: Option<TailSampling>,
    /// The hashes of the traces that stay in any case, with the arrival of the last event that says so, s.
    matter: HashMap<u64, i64>,
    /// The first block that was not read yet; nothing after a start.
    next: Option<i64>,
    /// Those that were found before were forgotten, seconds since the epoch.
    forgotten: i64,
}

/// A block and the arrival of its last event, seconds since the epoch.
type Dated = (i64, i64);

impl Tail {
    pub(super) fn new(policy: Option<TailSampling>) -> Self {
        Self {
            policy: policy.filter(|policy| policy.share < 1.0),
            matter: HashMap::new(),
            next: None,
            forgotten: i64::MIN,
        }
    }

    /// Everything was deleted.
    pub(super) fn forget(&mut self) {
        self.matter.clear();
        self.next = None;
        self.forgotten = i64::MIN;
    }

    /// Reads the blocks up to the last of `blocks`, and those behind that arrived within the wait. Returns the last one
    /// that it has read, or nothing where there was no time for all of them.
    fn look(
        &mut self,
        conn: &mut SqliteConnection,
        memory: &mut Memory,
        policy: &TailSampling,
        blocks: &[Dated],
        deadline: Instant,
        step: &mut Step,
    ) -> QueryResult<Option<i64>> {
        let (Some(&(first, oldest)), Some(&(last, newest))) = (blocks.first(), blocks.last())
        else {
            return Ok(None);
        };
        let wait = seconds(policy);
        self.expire(oldest.saturating_sub(wait), wait);
        let mut next = match self.next {
            Some(next) => next,
            None => first_to_read(conn, first, oldest.saturating_sub(wait))?,
        };
        let horizon = newest.saturating_add(wait);
        loop {
            let mut found = blocks_from(conn, next, READ)?;
            let all = found.len();
            let behind = found
                .iter()
                .take_while(|(id, received)| *id <= last || *received <= horizon)
                .count();
            found.truncate(behind);
            if let (Some(&(from, _)), Some(&(to, received))) = (found.first(), found.last()) {
                // Nothing is added to a block that was read: the next event begins a new one.
                memory.leave_block_of(&[to]);
                step.undecided += self.read(conn, policy, (from, to), received)?;
                next = to + 1;
                self.next = Some(next);
            }
            if behind < all || all < READ {
                self.next = Some(next);
                return Ok(Some((next - 1).max(last)));
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
        }
    }

    /// Remembers the traces that matter among the events of some blocks; returns how many there was no room for.
    fn read(
        &mut self,
        conn: &mut SqliteConnection,
        policy: &TailSampling,
        (from, to): (i64, i64),
        received: i64,
    ) -> QueryResult<u64> {
        let slow = policy.slow.map_or(i64::MAX, |slow| {
            i64::try_from(slow.as_micros()).unwrap_or(i64::MAX)
        });
        let found: Vec<kept::Trace> = sql_query(include_str!("tail/matter.sql"))
            .bind::<BigInt, _>(from * SLOTS)
            .bind::<BigInt, _>(to * SLOTS + SLOTS - 1)
            .bind::<BigInt, _>(slow)
            .load(conn)?;
        let mut left = 0;
        for kept::Trace { trace_id } in found {
            let hash = trace_id.hash();
            if self.matter.len() >= MOST && !self.matter.contains_key(&hash) {
                left += 1;
                continue;
            }
            self.matter.insert(hash, received);
        }
        Ok(left)
    }

    /// Forgets the traces of which nothing can come any more that is to be sampled with them.
    fn expire(&mut self, before: i64, wait: i64) {
        if before >= self.forgotten.saturating_add(wait / 4) || self.matter.len() >= MOST {
            self.matter.retain(|_, received| *received >= before);
            self.forgotten = before;
        }
    }

    /// Whether a trace stays, and whether it does for what it is.
    fn decide(&self, share: f64, trace: &StoredId, is_kept: bool) -> Decision {
        let hash = trace.hash();
        if is_kept || self.matter.contains_key(&hash) {
            Decision::Matters
        } else if is_in_share(hash, share) {
            Decision::InShare
        } else {
            Decision::Goes
        }
    }
}

/// The outcome for a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    /// It stays for what it is, and stands for itself.
    Matters,
    /// It stays as one of a share, and stands for the others.
    InShare,
    Goes,
}

/// Whether a hash is among the part `share` of all of them.
fn is_in_share(hash: u64, share: f64) -> bool {
    // 53 bits are exact.
    ((hash >> 11) as f64) < share * (1u64 << 53) as f64
}

fn seconds(policy: &TailSampling) -> i64 {
    i64::try_from(policy.wait.as_secs()).unwrap_or(i64::MAX)
}

/// At most so many blocks, from the block `first` on.
fn blocks_from(conn: &mut SqliteConnection, first: i64, most: usize) -> QueryResult<Vec<Dated>> {
    let blocks = block::table
        .filter(block::id.ge(first))
        .order(block::id.asc())
        .select((block::id, block::received));
    first_rows(blocks, most, conn)
}

/// The first block whose events may belong to traces of the block `first`: those that arrived since a time.
fn first_to_read(conn: &mut SqliteConnection, first: i64, since: i64) -> QueryResult<i64> {
    let before = block::table
        .filter(block::id.lt(first))
        .order(block::id.desc())
        .select((block::id, block::received));
    let before: Vec<Dated> = first_rows(before, BEFORE, conn)?;
    let near = before.iter().take_while(|(_, received)| *received >= since);
    Ok(near.last().map_or(first, |(id, _)| *id))
}

impl Retention {
    /// Samples the blocks whose traces are complete, a step's worth.
    pub(super) fn sample(
        &mut self,
        conn: &mut SqliteConnection,
        memory: &mut Memory,
        now: i64,
        deadline: Instant,
        step: &mut Step,
    ) -> Result<(), StoreError> {
        let Some(policy) = self.tail.policy else {
            return Ok(());
        };
        // Events that an output has not sent and counted yet come first.
        let needed = self.first_needed_block(conn)?;
        let complete = kept::first_complete_block(conn)?;
        let cutoff = now.saturating_sub(seconds(&policy));
        let mut due = blocks_from(conn, complete, BLOCKS)?;
        let quiet = |(id, received): &&Dated| *received < cutoff && *id < needed;
        due.truncate(due.iter().take_while(quiet).count());
        for blocks in due.chunks(TOGETHER) {
            let tail = &mut self.tail;
            let read = tail.look(conn, memory, &policy, blocks, deadline, step)?;
            let is_chosen = match read {
                None => false,
                Some(until) => {
                    let keeper: &Keeper = &self.keeper;
                    conn.immediate_transaction(|conn| keeper.choose_until(conn, until, deadline))?
                }
            };
            if !is_chosen {
                step.more = true;
                return Ok(());
            }
            let (tail, thinner) = (&self.tail, &mut self.keeper.thinner);
            step.sampled_out += conn
                .immediate_transaction(|conn| take::blocks(conn, thinner, tail, &policy, blocks))?;
            step.changed = true;
            if Instant::now() >= deadline {
                step.more = true;
                return Ok(());
            }
        }
        step.more |= due.len() >= BLOCKS;
        Ok(())
    }
}

/// An event of a block that is sampled.
#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Nullable<Identifier>)]
    trace_id: Option<StoredId>,
    #[diesel(sql_type = BigInt)]
    can_go: i64,
    #[diesel(sql_type = BigInt)]
    is_kept: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_all_hashes_is_in_the_share() {
        let hashes = (0..100_000u64).map(|number| StoredId::Short(number).hash());
        for share in [0.0, 0.1, 0.5, 1.0] {
            let found = hashes
                .clone()
                .filter(|hash| is_in_share(*hash, share))
                .count() as f64;
            assert!(
                (found - share * 100_000.0).abs() < 600.0,
                "{found} of {share}"
            );
        }
    }

    #[test]
    fn whatever_is_in_a_share_is_in_a_larger_one() {
        for hash in (0..1000u64).map(|number| StoredId::Short(number).hash()) {
            assert!(!is_in_share(hash, 0.2) || is_in_share(hash, 0.3));
        }
    }
}
