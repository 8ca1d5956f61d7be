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
//! Each step is a transaction of its own, bounded by [`BLOCKS`] and a time (`step`); while there is more to do the
//! writer makes one after each commit, which deletes faster than it stores.

mod age;
mod clock;
mod delete;
mod keep;
mod marks;
mod names;
mod room;
mod size;
mod step;
mod tail;
mod thin;

use std::borrow::Borrow;
use std::time::{Duration, Instant};

use diesel::dsl::max;
use diesel::prelude::*;

use super::apply::Memory;
use super::coarse_rollups::CoarseRollups;
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
use tail::Tail;

/// Blocks per step, at most: a step goes through the log, which is small where the files are.
const BLOCKS: usize = 64;

/// Rollup buckets per step (and level).
const BUCKETS: usize = 32;

/// Bytes that may come before the next look, as a part of the limit.
const LOOKS: u64 = 64;

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
