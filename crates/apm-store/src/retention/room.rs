//! Making room where the files are larger than they may be.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Integer};

use super::super::apply::Memory;
use super::super::coarse_rollups::CoarseRollups;
use super::super::error::StoreError;
use super::size::{self, Pages, Size};
use super::{BLOCKS, BUCKETS, Retention, Step, Turn, delete};
use crate::rollup::LEVELS;

/// Callers per step.
const CALLERS: i64 = 2000;

/// Rollups for which something arrived within so many seconds of the newest stay as long as anything else can go.
const PRESENT: i64 = 900;

/// Bytes freed by a step of rollups with which it is worth its while.
const HELPS: i64 = 64 << 10;

/// Buckets that may come to [`HELPS`] together where no events wait. The rows of a bucket lie on many pages, and a page
/// is free only when the buckets beside it are gone, too; how many that takes depends on where the pages begin. Counted
/// are buckets, not steps: on a slow machine a step ends after a few of them.
const TRIED: usize = 8 * BUCKETS;

/// Blocks after which the trace keys of those that are gone are deleted: it takes reading a segment.
const TRIMMED: i64 = 128;

/// Bytes that buckets of rollups have freed together.
#[derive(Debug, Default)]
pub(super) struct Freed {
    bytes: i64,
    /// Buckets that are gone; a step of callers or names counts as [`BUCKETS`] at most.
    buckets: usize,
}

impl Retention {
    /// Deletes what is too much: first what nothing refers to, then the oldest events, and rollups when the events that
    /// are left are few.
    pub(super) fn make_room(
        &mut self,
        conn: &mut SqliteConnection,
        memory: &mut Memory,
        coarse: &mut CoarseRollups,
        size: Size,
        turn: Turn,
        step: &mut Step,
    ) -> Result<(), StoreError> {
        let mut spare = size.spare_blocks(conn)?;
        let needed = self.first_needed_block(conn)?;
        // Blocks that an output still needs are no room to spare as long as anything else can go.
        spare.retain(|block| *block < needed);
        if self.names.is_at_work(conn, &size, spare.is_empty())? {
            let swept =
                conn.immediate_transaction(|conn| self.names.sweep(conn, memory, turn.deadline));
            let swept = swept.inspect_err(|_| self.names.forget())?;
            step.changed |= swept.gone > 0;
            step.more = true;
            // Nothing that is better kept goes before all of that is looked at, unless it is urgent.
            if !swept.done && (spare.is_empty() || Pages::read(conn)?.used() < size.limit()) {
                return Ok(());
            }
        }
        if !size.is_over(conn)? {
            return Ok(());
        }
        let before = Pages::read(conn)?;
        if spare.is_empty() {
            self.delete_more_than_events(conn, memory, coarse, size, turn, step)?;
        } else {
            self.delete_blocks(conn, memory, &spare, turn.deadline, step)?;
        }
        self.names.freed(before.used() - Pages::read(conn)?.used());
        self.trim_trace_keys(conn)?;
        step.more |= step.changed || step.blocks > 0;
        Ok(())
    }

    /// For few events that are left: deletes the oldest rollups, then callers, then names that only rollups refer to.
    /// If that frees little ([`HELPS`]), events after all; where nothing is left to go, rollups of the present but for
    /// the newest minutes.
    fn delete_more_than_events(
        &mut self,
        conn: &mut SqliteConnection,
        memory: &mut Memory,
        coarse: &mut CoarseRollups,
        size: Size,
        turn: Turn,
        step: &mut Step,
    ) -> Result<(), StoreError> {
        let deadline = turn.deadline;
        let before = Pages::read(conn)?;
        let buckets = oldest_buckets(conn, &format!("received < newest - {PRESENT}"))?;
        let mut gone = if buckets.is_empty() {
            conn.immediate_transaction(|conn| delete::callers(conn, CALLERS))?
        } else {
            conn.immediate_transaction(|conn| delete::rollups(conn, &buckets, deadline))?
        };
        if gone == 0 {
            // Counts that are still to be written could refer to names that are gone.
            coarse.settle(conn)?;
            let evicted =
                conn.immediate_transaction(|conn| self.names.evict(conn, memory, &size, deadline));
            let evicted = evicted.inspect_err(|_| self.names.forget())?;
            gone = evicted.gone;
            step.changed |= gone > 0;
            if !evicted.done {
                step.more = true;
                return Ok(());
            }
        }
        step.changed |= gone > 0;
        self.freed.bytes += before.used() - Pages::read(conn)?.used();
        self.freed.buckets += gone.min(BUCKETS);
        let is_enough = !size.is_over(conn)? || self.freed.bytes >= HELPS;
        // Only events that wait for room are a reason to decide by less.
        if !is_enough && gone > 0 && !turn.busy && self.freed.buckets < TRIED {
            return Ok(());
        }
        self.freed = Freed::default();
        if is_enough {
            return Ok(());
        }
        // The newest events stay, whatever else fills the file.
        let mut blocks = size::oldest_blocks(conn, BLOCKS * 16)?;
        // One step takes a sixteenth of them; the next step looks at rollups first again.
        blocks.truncate(blocks.len().saturating_sub(1).min(1 + blocks.len() / 16));
        self.delete_blocks(conn, memory, &blocks, deadline, step)?;
        if step.blocks > 0 {
            // Few events may have had large names.
            self.names.freed(size.limit());
        } else if !step.changed && !step.more {
            let rest = format!("level <> {} OR received < newest - 120", LEVELS[0]);
            let buckets = oldest_buckets(conn, &rest)?;
            coarse.settle(conn)?;
            let deleted =
                conn.immediate_transaction(|conn| delete::rollups(conn, &buckets, deadline))?;
            step.changed |= deleted > 0;
        }
        Ok(())
    }

    /// Deletes trace keys of blocks that are gone, once there are enough of them.
    fn trim_trace_keys(&mut self, conn: &mut SqliteConnection) -> QueryResult<()> {
        if let Some(oldest) = size::oldest_blocks(conn, 1)?.first()
            && *oldest >= self.trimmed + TRIMMED
        {
            conn.immediate_transaction(|conn| delete::trim_trace_keys(conn, *oldest))?;
            self.trimmed = *oldest;
        }
        Ok(())
    }
}

/// The rollup buckets for which nothing has arrived for longest; `which`: a condition, in which `newest` is the last
/// arrival.
fn oldest_buckets(conn: &mut SqliteConnection, which: &str) -> QueryResult<Vec<(i32, i64)>> {
    #[derive(QueryableByName)]
    struct Bucket {
        #[diesel(sql_type = Integer)]
        level: i32,
        #[diesel(sql_type = BigInt)]
        bucket: i64,
    }
    let buckets: Vec<Bucket> = sql_query(format!(
        "SELECT level, bucket FROM roll_received CROSS JOIN (SELECT max(received) AS newest FROM roll_received) \
         WHERE {which} ORDER BY received, bucket LIMIT {BUCKETS}"
    ))
    .load(conn)?;
    let buckets = buckets.into_iter().map(|row| (row.level, row.bucket));
    Ok(buckets.collect())
}
