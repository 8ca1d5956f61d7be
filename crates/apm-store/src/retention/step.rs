//! One step: a bounded part of what is to be deleted, in short transactions.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use super::super::apply::Memory;
use super::super::coarse_rollups::CoarseRollups;
use super::super::dictionary::HOUR;
use super::super::error::StoreError;
use super::super::wal::Wal;
use super::size::{self, Pages, Size};
use super::{AGAIN, BLOCKS, BUCKETS, Retention, Step, Turn, delete, thin};

/// Bytes of the limit for each block of a step, where [`BLOCKS`] would be too many.
const PER_BLOCK: u64 = 2 << 20;

/// Bytes of the log that deleting a block takes, roughly.
const BLOCK_BYTES: u64 = 64 << 10;

/// Time per step, after which it ends early.
const BUDGET: Duration = Duration::from_millis(20);

/// Pages given back per step, for each block.
const PAGES: i64 = 8;

/// Free pages that are left in the file: the next events fill them.
const SLACK: i64 = 256;

impl Retention {
    /// Blocks that a step deletes at most.
    fn blocks(&self) -> usize {
        let blocks = self.options.max_size.map(|max| max / PER_BLOCK);
        let blocks = blocks.map_or(BLOCKS, |blocks| usize::try_from(blocks).unwrap_or(BLOCKS));
        blocks.clamp(8, BLOCKS)
    }

    /// Bytes of the log that a step takes, roughly.
    pub(crate) fn step_bytes(&self) -> u64 {
        self.blocks() as u64 * BLOCK_BYTES
    }

    /// Deletes what is to go as long as there is time; what is too old first, then what is too much.
    pub(super) fn step(
        &mut self,
        conn: &mut SqliteConnection,
        wal: &mut Wal,
        memory: &mut Memory,
        coarse: &mut CoarseRollups,
        now: i64,
        busy: bool,
    ) -> Result<Step, StoreError> {
        let mut step = Step::default();
        let turn = Turn {
            deadline: Instant::now() + BUDGET,
            busy,
        };
        if !busy {
            wal.tidy(conn, self.options.max_size)?;
        }
        self.delete_old(conn, memory, now, turn.deadline, &mut step)?;
        self.sample(conn, memory, now, turn.deadline, &mut step)?;
        if self.keeper.is_over(conn, now)? {
            let keeper = &mut self.keeper;
            step.more |= conn.immediate_transaction(|conn| {
                let more = keeper.let_go(conn, now, turn.deadline)?;
                delete::forget_counts(conn)?;
                Ok::<_, StoreError>(more)
            })?;
            step.changed = true;
        }
        let size = Size::new(&self.options);
        let over = size.is_over(conn)?;
        if over {
            self.make_room(conn, memory, coarse, size, turn, &mut step)?;
        }
        // This look needs no write transaction, and mostly finds none.
        if delete::has_stale_keys(conn)? {
            step.more |= conn.immediate_transaction(delete::trace_keys)?;
        }
        step.changed |= step.blocks > 0;
        self.sweep_due |= step.changed;
        // Names of old blocks count as used until the blocks are gone. The sweep waits for that, unless files are full.
        if self.sweep_due && (over || !step.more) && Instant::now() >= self.next_sweep {
            // `last_seen` may be an hour behind.
            let now = now - 2 * HOUR;
            let age = self.options.raw_max_age.map(|age| age.as_secs());
            conn.immediate_transaction(|conn| {
                if let Some(age) = age {
                    delete::instances(conn, now.saturating_sub_unsigned(age))?;
                }
                delete::unused(conn, now)
            })?;
            memory.has_room_again();
            self.sweep_due = false;
            self.next_sweep = Instant::now() + Duration::from_secs(HOUR.unsigned_abs());
        }
        step.more |= self.give_back(conn, step.more)?;
        if !step.more {
            // The file itself shrinks when the log is carried over to it. A reader may be in the way of that.
            let mut again = size::cut_file(conn, &self.options)?;
            again |= !busy && wal.tidy(conn, self.options.max_size)?;
            if again {
                self.next_look = self.next_look.min(Instant::now() + AGAIN);
            }
        }
        Ok(step)
    }

    /// Deletes what is too old.
    fn delete_old(
        &mut self,
        conn: &mut SqliteConnection,
        memory: &mut Memory,
        now: i64,
        deadline: Instant,
        step: &mut Step,
    ) -> Result<(), StoreError> {
        let doomed = self.old_blocks(conn, now)?;
        self.delete_blocks(conn, memory, &doomed, deadline, step)?;
        let buckets = self.old_buckets(conn, now)?;
        if !buckets.is_empty() {
            let deleted =
                conn.immediate_transaction(|conn| delete::rollups(conn, &buckets, deadline))?;
            step.changed |= deleted > 0;
            step.more |= deleted < buckets.len() || buckets.len() >= BUCKETS;
        }
        Ok(())
    }

    /// Gives free pages back to the disk. `more`: whether others are about to become free.
    fn give_back(&self, conn: &mut SqliteConnection, more: bool) -> QueryResult<bool> {
        let pages = Pages::read(conn)?;
        let allowance = Size::new(&self.options).limit();
        let too_large = pages.all * pages.size > allowance && pages.free > 0;
        let idle = !more && pages.free > SLACK && pages.free > pages.all / 10;
        if !too_large && !idle {
            return Ok(false);
        }
        conn.batch_execute(&format!(
            "PRAGMA incremental_vacuum({})",
            self.blocks() as i64 * PAGES
        ))?;
        let left = Pages::read(conn)?;
        // If nothing was given back, another try would not help either.
        Ok(left.all < pages.all && (left.free > SLACK || (too_large && left.free > 0)))
    }

    /// Deletes the oldest blocks, as many as a step may, in a transaction.
    pub(super) fn delete_blocks(
        &mut self,
        conn: &mut SqliteConnection,
        memory: &mut Memory,
        doomed: &[i64],
        deadline: Instant,
        step: &mut Step,
    ) -> Result<(), StoreError> {
        let now = &doomed[..doomed.len().min(self.blocks())];
        if now.is_empty() {
            return Ok(());
        }
        let newest = now.last().copied().unwrap_or_default();
        // Events that stay are chosen before their block goes. Where that takes too long, it waits for the next step.
        let is_chosen =
            conn.immediate_transaction(|conn| self.keeper.choose(conn, newest, deadline))?;
        if !is_chosen {
            step.more = true;
            return Ok(());
        }
        let thinner = &mut self.keeper.thinner;
        let deleted = conn.immediate_transaction(|conn| {
            // The block being filled is begun anew if it has to go.
            memory.leave_block_of(now);
            thin::blocks(conn, thinner, now, deadline)
        })?;
        step.blocks += deleted;
        step.more |= deleted < doomed.len() as u64 || deleted >= BLOCKS as u64;
        Ok(())
    }
}
