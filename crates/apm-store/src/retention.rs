//! Retention: deletes what is too old or too much, in small steps between commits.
//!
//! * Events go by time of arrival, block by block from the oldest on (an agent may send old events, and they stay). A
//!   wrong clock can delay that, and does not hasten it for anything but the blocks that it dated: a clock that is far
//!   ahead is believed only when arrivals agree with it (`clock`).
//! * Rollups go by the last arrival in their bucket; those of a minute as early as events, the coarser ones later.
//! * When the files grow beyond their limit, what nothing refers to any more goes first, then the oldest blocks. When
//!   the events that are left take less than a quarter of the files it is the oldest rollups' turn, then that of names
//!   that are used by rollups only. The newest events and the newest minutes always stay.
//! * Events that an output has not sent or not counted yet stay beyond their age, and go after old rollups. Those that
//!   were not sent are counted as lost.
//! * Traces that matter stay when the blocks around them go, within a share of the room (`keep`).
//! * With tail sampling, complete traces that do not matter go after some minutes, but for a share (`tail`).
//! * Dictionary rows go when nothing that is kept can refer to them.
//! * Pages that became free are given back to the disk, unless the next events are about to fill them.
//!
//! Each step is a transaction of its own, bounded by [`BLOCKS`] and [`BUDGET`]; while there is more to do the writer
//! makes one after each commit, which deletes faster than it stores.

mod age;
mod clock;
mod delete;
mod keep;
mod marks;
mod names;
mod room;
mod size;
mod tail;
mod thin;

use std::borrow::Borrow;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::dsl::max;
use diesel::prelude::*;

use super::apply::Memory;
use super::coarse_rollups::CoarseRollups;
use super::dictionary::HOUR;
use super::error::StoreError;
use super::kept;
use super::options::StoreOptions;
use super::schema::{block, roll_received};
use super::wal::Wal;
use crate::event::Batch;
use clock::Clock;
use keep::Keeper;
use names::Names;
use room::Freed;
use size::{Pages, Size};
use tail::Tail;

/// Blocks per step, at most, and bytes of the limit for each of them: a step goes through the log, which is small where
/// the files are.
const BLOCKS: usize = 64;
const PER_BLOCK: u64 = 2 << 20;

/// Bytes of the log that deleting a block takes, roughly.
const BLOCK_BYTES: u64 = 64 << 10;

/// Bytes that may come before the next look, as a part of the limit.
const LOOKS: u64 = 64;

/// Rollup buckets per step (and level).
const BUCKETS: usize = 32;

/// Time per step, after which it ends early.
const BUDGET: Duration = Duration::from_millis(20);

/// Pages given back per step, for each block.
const PAGES: i64 = 8;

/// Free pages that are left in the file: the next events fill them.
const SLACK: i64 = 256;

/// Time until the next look, after commits and without any.
const BUSY: Duration = Duration::from_millis(100);
const IDLE: Duration = Duration::from_secs(30);

/// Time until a step that a reader was in the way of is tried again.
const AGAIN: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(super) struct Retention {
    options: StoreOptions,
    clock: Clock,
    next_look: Instant,
    /// Whether the last step left something to do.
    behind: bool,
    /// Whether something was deleted since the last sweep of dictionaries.
    sweep_due: bool,
    next_sweep: Instant,
    names: Names,
    /// Chooses the events that stay of blocks that go.
    keeper: Keeper,
    /// Chooses the traces that go early.
    tail: Tail,
    /// The oldest block when trace keys were last trimmed.
    trimmed: i64,
    /// Bytes that came since the last look.
    come: u64,
    /// The space that steps of rollups have freed since that was last judged.
    freed: Freed,
}

/// The circumstances of a step.
#[derive(Clone, Copy, Debug)]
struct Turn {
    /// When it has to end.
    deadline: Instant,
    /// Whether there was a commit before it.
    busy: bool,
}

/// The outcome of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Step {
    /// Blocks of events that are gone.
    pub(super) blocks: u64,
    /// Whether the data changed.
    pub(super) changed: bool,
    /// Events that tail sampling has dropped.
    pub(super) sampled_out: u64,
    /// Traces that tail sampling had no room to remember.
    pub(super) undecided: u64,
    /// Whether there is more to do.
    more: bool,
}

impl Retention {
    pub(super) fn new(options: StoreOptions) -> Self {
        let now = Instant::now();
        Self {
            clock: Clock::new(options.trusted_jump),
            keeper: Keeper::new(&options),
            tail: Tail::new(options.tail),
            options,
            next_look: now,
            behind: false,
            sweep_due: true,
            next_sweep: now,
            names: Names::default(),
            trimmed: 0,
            come: 0,
            freed: Freed::default(),
        }
    }

    /// Everything was deleted.
    pub(super) fn forget(&mut self) {
        self.names.forget();
        self.tail.forget();
    }

    /// The longest time that the writer may wait for work.
    pub(super) fn patience(&self) -> Duration {
        if self.behind {
            return Duration::ZERO;
        }
        self.next_look.saturating_duration_since(Instant::now())
    }

    /// Nothing can be deleted now.
    pub(super) fn postpone(&mut self) {
        self.next_look = Instant::now() + AGAIN;
        self.behind = false;
    }

    /// Whether the last step left something to do.
    pub(super) fn is_behind(&self) -> bool {
        self.behind
    }

    /// Whether it is time for a step; `busy`: whether there was a commit since the last call.
    pub(super) fn is_due(&mut self, busy: bool) -> bool {
        let now = Instant::now();
        if busy {
            self.next_look = self.next_look.min(now + BUSY);
        }
        self.behind || now >= self.next_look
    }

    /// So many bytes are to be stored.
    pub(super) fn coming(&mut self, bytes: u64) {
        self.come += bytes;
        if self
            .options
            .max_size
            .is_some_and(|max| self.come > max / LOOKS)
        {
            self.next_look = Instant::now();
        }
    }

    /// Blocks that a step deletes at most.
    fn blocks(&self) -> usize {
        let blocks = self.options.max_size.map(|max| max / PER_BLOCK);
        let blocks = blocks.map_or(BLOCKS, |blocks| usize::try_from(blocks).unwrap_or(BLOCKS));
        blocks.clamp(8, BLOCKS)
    }

    /// Bytes of the log that a step takes, roughly.
    pub(super) fn step_bytes(&self) -> u64 {
        self.blocks() as u64 * BLOCK_BYTES
    }

    /// Makes a step if it is time to. `now`: seconds since the epoch; `busy`: whether there was a commit since the last
    /// call.
    pub(super) fn look(
        &mut self,
        conn: &mut SqliteConnection,
        wal: &mut Wal,
        memory: &mut Memory,
        coarse: &mut CoarseRollups,
        now: i64,
        busy: bool,
    ) -> Result<Step, StoreError> {
        if !self.is_due(busy) {
            return Ok(Step::default());
        }
        let at = Instant::now();
        self.come = 0;
        let now = self.time(conn, now)?;
        // Steps that wait until nothing is written follow a moment after the last commit.
        self.next_look = at + if busy { BUSY } else { IDLE };
        // Should the step fail, the next look tries again.
        self.behind = false;
        let step = self.step(conn, wal, memory, coarse, now, busy)?;
        self.behind = step.more;
        Ok(step)
    }

    /// Remembers when something last arrived before this start. What is stored from now on is dated by the clock that
    /// is in question.
    pub(super) fn begin(&mut self, conn: &mut SqliteConnection, clock: i64) {
        if let Err(error) = self.time(conn, clock) {
            log::warn!("the newest arrival is not known yet: {error}");
        }
    }

    /// The time to delete by. `clock`: what the machine says.
    fn time(&mut self, conn: &mut SqliteConnection, clock: i64) -> QueryResult<i64> {
        if self.clock.is_new() {
            let newest = newest_arrival(conn)?;
            self.clock.start(newest, clock, Instant::now());
        }
        Ok(self.clock.now(clock, Instant::now()))
    }

    /// Events were stored. While the clock is in doubt, their own times tell whether it is right.
    pub(super) fn arrived(&mut self, batches: impl Iterator<Item = impl Borrow<Batch>>) {
        if !self.clock.is_in_doubt() {
            return;
        }
        let at = Instant::now();
        for batch in batches {
            // Events of one batch have one clock.
            if let Some(event) = batch.borrow().events.last() {
                self.clock.arrived(event.timestamp() / 1_000_000, at);
            }
        }
    }

    fn step(
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
            conn.immediate_transaction(|conn| delete::unused(conn, now - 2 * HOUR))?;
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
    fn delete_blocks(
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

/// Bytes that traces may take which are kept for a reason.
pub(super) fn share(options: &StoreOptions, reason: kept::Reason) -> i64 {
    Keeper::new(options).share(reason)
}

/// When something last arrived, seconds since the epoch.
fn newest_arrival(conn: &mut SqliteConnection) -> QueryResult<Option<i64>> {
    let block = block::table
        .order(block::id.desc())
        .select(block::received)
        .get_result(conn)
        .optional()?;
    // Rollups still tell it when all events are gone.
    let rollup = roll_received::table
        .select(max(roll_received::received))
        .get_result(conn)?;
    Ok(block.max(rollup))
}

#[cfg(test)]
mod tests;
