//! What is too old or too much goes, in small steps between commits.
//!
//! * Events go by time of arrival, block by block from the oldest on (an agent may send old events, and they stay). A
//!   wrong clock can delay that, and does not hasten it for anything but the blocks that it dated.
//! * Rollups go by the last arrival in their bucket; those of a minute as early as events, the coarser ones later.
//! * When the files grow beyond their limit the oldest blocks go, and when there are none left the oldest rollups.
//! * Dictionary rows go when nothing that is kept can refer to them.
//! * Pages that became free are given back to the disk, unless the next events are about to fill them.
//!
//! Each step is a transaction of its own, bounded by [`BLOCKS`] and [`BUDGET`]; while there is more to do the writer makes
//! one after each commit, which deletes faster than it stores.

mod delete;

use std::time::{Duration, Instant};

use diesel::SqliteConnection;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use super::apply::Memory;
use super::dictionary::HOUR;
use super::schema::{block, roll_received};
use super::{StoreError, StoreOptions, open};
use crate::rollup::LEVELS;

/// Blocks per step.
const BLOCKS: i64 = 64;

/// Time per step, after which it ends early.
const BUDGET: Duration = Duration::from_millis(20);

/// Pages given back per step.
const PAGES: i64 = 512;

/// Free pages that are left in the file: the next events fill them.
const SLACK: i64 = 256;

/// How long until the next look, after commits and without any.
const BUSY: Duration = Duration::from_millis(100);
const IDLE: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Retention {
    options: StoreOptions,
    next_look: Instant,
    /// Whether the last step left something to do.
    behind: bool,
    /// Whether something was deleted since the last sweep of dictionaries.
    sweep_due: bool,
    next_sweep: Instant,
}

/// What a step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Step {
    /// Blocks of events that are gone.
    pub(super) blocks: u64,
    /// Whether the data changed.
    pub(super) changed: bool,
    /// Whether there is more to do.
    more: bool,
}

impl Retention {
    pub(super) fn new(options: StoreOptions) -> Self {
        let now = Instant::now();
        Self {
            options,
            next_look: now,
            behind: false,
            sweep_due: true,
            next_sweep: now,
        }
    }

    /// How long the writer may wait for work.
    pub(super) fn patience(&self) -> Duration {
        if self.behind {
            return Duration::ZERO;
        }
        self.next_look.saturating_duration_since(Instant::now())
    }

    /// Makes a step if it is time to. `now`: seconds since the epoch; `busy`: whether there was a commit since the last call.
    pub(super) fn look(
        &mut self,
        conn: &mut SqliteConnection,
        memory: &mut Memory,
        now: i64,
        busy: bool,
    ) -> Result<Step, StoreError> {
        let at = Instant::now();
        if busy {
            self.next_look = self.next_look.min(at + BUSY);
        }
        if !self.behind && at < self.next_look {
            return Ok(Step::default());
        }
        self.next_look = at + IDLE;
        // Should the step fail, the next look tries again.
        self.behind = false;
        let step = self.step(conn, memory, now)?;
        self.behind = step.more;
        Ok(step)
    }

    fn step(
        &mut self,
        conn: &mut SqliteConnection,
        memory: &mut Memory,
        now: i64,
    ) -> Result<Step, StoreError> {
        let mut step = Step::default();
        let deadline = Instant::now() + BUDGET;
        let over = self.is_over(conn)?;
        let doomed = self.doomed_blocks(conn, now, over)?;
        if !doomed.is_empty() {
            let deleted = conn.immediate_transaction(|conn| {
                // The block being filled is begun anew if it has to go.
                memory.leave_block_of(&doomed);
                delete::blocks(conn, &doomed, deadline)
            })?;
            step.blocks = deleted;
            step.more |= deleted < doomed.len() as u64 || deleted as i64 == BLOCKS;
        }
        let buckets = self.doomed_buckets(conn, now, over && doomed.is_empty())?;
        if !buckets.is_empty() {
            let deleted =
                conn.immediate_transaction(|conn| delete::rollups(conn, &buckets, deadline))?;
            step.changed |= deleted > 0;
            step.more |= deleted < buckets.len();
        }
        if delete::has_stale_keys(conn)? {
            step.more |= conn.immediate_transaction(delete::trace_keys)?;
        }
        step.changed |= step.blocks > 0;
        step.more |= over && step.changed;
        self.sweep_due |= step.changed;
        if self.sweep_due && !step.more && Instant::now() >= self.next_sweep {
            conn.immediate_transaction(|conn| delete::unused(conn, now - 2 * HOUR))?;
            self.sweep_due = false;
            self.next_sweep = Instant::now() + Duration::from_secs(HOUR.unsigned_abs());
        }
        step.more |= self.give_back(conn, step.more)?;
        Ok(step)
    }

    /// Bytes that the database file may have.
    fn allowance(&self) -> Option<i64> {
        let log = std::fs::metadata(open::beside(&self.options.path, "-wal"));
        let log = log.map_or(0, |log| log.len());
        let max = self.options.max_size?;
        let left = max.saturating_sub(log).max(max / 2);
        Some(i64::try_from(left).unwrap_or(i64::MAX))
    }

    /// Whether what is stored takes more than it may; with free pages that are still in the file it does not.
    fn is_over(&self, conn: &mut SqliteConnection) -> QueryResult<bool> {
        let Some(allowance) = self.allowance() else {
            return Ok(false);
        };
        let pages = Pages::of(conn)?;
        // Begun early: a step's worth of events may come before the next look.
        Ok((pages.all - pages.free) * pages.size > allowance - allowance / 16)
    }

    /// The oldest blocks that have to go, a step's worth.
    fn doomed_blocks(
        &self,
        conn: &mut SqliteConnection,
        now: i64,
        over: bool,
    ) -> QueryResult<Vec<i64>> {
        let oldest: Vec<(i64, i64)> = block::table
            .order(block::id.asc())
            .select((block::id, block::received))
            .limit(BLOCKS)
            .load(conn)?;
        if over {
            // The newest events stay, whatever else fills the file.
            let kept = if (oldest.len() as i64) < BLOCKS { 1 } else { 0 };
            let doomed = oldest.iter().rev().skip(kept).rev();
            return Ok(doomed.map(|(id, _)| *id).collect());
        }
        let Some(max_age) = self.options.raw_max_age else {
            return Ok(Vec::new());
        };
        let cutoff = now.saturating_sub_unsigned(max_age.as_secs());
        let too_old = oldest
            .into_iter()
            .take_while(|(_, received)| *received < cutoff);
        Ok(too_old.map(|(id, _)| id).collect())
    }

    /// The rollup buckets that have to go: `(level, bucket)`.
    fn doomed_buckets(
        &self,
        conn: &mut SqliteConnection,
        now: i64,
        over: bool,
    ) -> QueryResult<Vec<(i32, i64)>> {
        const BUCKETS: i64 = 32;
        if over {
            return roll_received::table
                .order(roll_received::received.asc())
                .select((roll_received::level, roll_received::bucket))
                .limit(BUCKETS)
                .load(conn);
        }
        let mut doomed = Vec::new();
        for level in LEVELS {
            let max_age = match (self.options.raw_max_age, self.options.rollup_max_age) {
                (Some(raw), Some(rollup)) if level == LEVELS[0] => Some(raw.min(rollup)),
                (Some(raw), None) if level == LEVELS[0] => Some(raw),
                (_, rollup) => rollup,
            };
            let Some(max_age) = max_age else { continue };
            let cutoff = now.saturating_sub_unsigned(max_age.as_secs());
            let too_old: Vec<(i32, i64)> = roll_received::table
                .filter(roll_received::level.eq(level as i32))
                .filter(roll_received::received.lt(cutoff))
                .select((roll_received::level, roll_received::bucket))
                .limit(BUCKETS)
                .load(conn)?;
            doomed.extend(too_old);
        }
        Ok(doomed)
    }

    /// Gives free pages back to the disk. `more`: whether others are about to become free.
    fn give_back(&self, conn: &mut SqliteConnection, more: bool) -> QueryResult<bool> {
        let pages = Pages::of(conn)?;
        let allowance = self.allowance().unwrap_or(i64::MAX);
        let too_large = pages.all * pages.size > allowance && pages.free > 0;
        let idle = !more && pages.free > SLACK && pages.free > pages.all / 10;
        if !too_large && !idle {
            return Ok(false);
        }
        conn.batch_execute(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
        let left = Pages::of(conn)?;
        let more = left.all < pages.all && (left.free > SLACK || (too_large && left.free > 0));
        if !more {
            // The file itself shrinks when the log is carried over to it.
            conn.batch_execute("PRAGMA wal_checkpoint(PASSIVE)")?;
        }
        Ok(more)
    }
}

/// The pages of the file.
#[derive(Clone, Copy, Debug)]
struct Pages {
    all: i64,
    free: i64,
    size: i64,
}

impl Pages {
    fn of(conn: &mut SqliteConnection) -> QueryResult<Self> {
        Ok(Self {
            all: open::number(conn, "SELECT page_count AS n FROM pragma_page_count")?,
            free: open::number(
                conn,
                "SELECT freelist_count AS n FROM pragma_freelist_count",
            )?,
            size: open::number(conn, "SELECT page_size AS n FROM pragma_page_size")?,
        })
    }
}
