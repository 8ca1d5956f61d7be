//! The rollup levels above the minute, which under load are written every two seconds instead of with each commit.
//!
//! Most of what a commit of many events writes to the rollups it writes three times, once per level, and the next
//! commit changes the same rows again. So when more than [`AT_ONCE`] events came within [`PAUSE`], what they
//! count is added up here and written when that time is over. Until then the coarser rows of the present lack it, and
//! its minutes stand in `roll_behind`, written by the same commits: a start after a crash makes the coarser rows of
//! those times again, from their minutes.
//!
//! Minutes live as long as events, coarser rows longer. What happened too long ago to be sure of its minutes is
//! never put off.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::apply::Counted;
use super::rollups::{self, Levels};
use crate::rollup::{LEVELS, Rollup};

/// The longest time that the coarser levels are behind.
const PAUSE: Duration = Duration::from_secs(2);

/// Events in a [`PAUSE`] that are written to all levels at once.
const AT_ONCE: usize = 10_000;

/// Counts that the coarser levels lack.
#[derive(Debug)]
pub(super) struct CoarseRollups {
    behind: Rollup,
    received: i64,
    /// Minutes that stand in `roll_behind`.
    minutes: BTreeSet<i64>,
    /// Since when events are counted, and how many came.
    since: Instant,
    events: usize,
    /// The age from which minutes may be gone, seconds.
    max_age: Option<i64>,
}

/// The levels that a commit writes; takes effect when it has succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// Everything is written, and nothing is behind.
    Level,
    /// Only the minutes are written.
    PutOff,
}

impl CoarseRollups {
    /// `raw_max_age`: how long minutes are kept.
    pub(super) fn new(raw_max_age: Option<Duration>) -> Self {
        Self {
            behind: Rollup::default(),
            received: 0,
            minutes: BTreeSet::new(),
            since: Instant::now(),
            events: 0,
            max_age: raw_max_age.map(|age| i64::try_from(age.as_secs() / 2).unwrap_or(i64::MAX)),
        }
    }

    /// Writes what a commit counts, within its transaction.
    pub(super) fn write(
        &self,
        conn: &mut SqliteConnection,
        counted: &Counted,
    ) -> QueryResult<Plan> {
        rollups::add_events(conn, &counted.rollup.events)?;
        let minutes = counted.rollup.buckets(LEVELS[0]);
        let sure = match (self.max_age, minutes.first()) {
            (Some(age), Some(oldest)) => *oldest > counted.received.saturating_sub(age),
            _ => true,
        };
        rollups::add(conn, &counted.rollup, counted.received, Levels::Minute)?;
        if sure && self.events >= AT_ONCE && self.since.elapsed() < PAUSE {
            // Most minutes stand there already, from the commit before.
            let new = minutes
                .into_iter()
                .filter(|minute| !self.minutes.contains(minute));
            rollups::add_behind(conn, new)?;
            return Ok(Plan::PutOff);
        }
        if self.minutes.is_empty() {
            rollups::add(conn, &counted.rollup, counted.received, Levels::Coarse)?;
            return Ok(Plan::Level);
        }
        // Both change the same rows, so they are added up before.
        let mut all = Rollup::default();
        all.absorb(&self.behind);
        all.absorb(&counted.rollup);
        catch_up(conn, &all, self.received.max(counted.received))?;
        Ok(Plan::Level)
    }

    /// The commit of what was written succeeded.
    pub(super) fn committed(&mut self, counted: &Counted, events: usize, plan: Plan) {
        if self.since.elapsed() >= PAUSE {
            self.since = Instant::now();
            self.events = 0;
        }
        self.events += events;
        match plan {
            // The same commit wrote what was behind.
            Plan::Level => self.forget(),
            Plan::PutOff => {
                self.behind.absorb(&counted.rollup);
                self.received = self.received.max(counted.received);
                self.minutes.extend(counted.rollup.buckets(LEVELS[0]));
            }
        }
    }

    /// Time until the counts that are behind have to be written; `None` where none are.
    pub(super) fn due(&self) -> Option<Duration> {
        (!self.minutes.is_empty()).then(|| PAUSE.saturating_sub(self.since.elapsed()))
    }

    /// Writes what is behind, in a transaction of its own.
    pub(super) fn settle(&mut self, conn: &mut SqliteConnection) -> QueryResult<()> {
        // Should it fail, it is tried again after a pause.
        self.since = Instant::now();
        if !self.minutes.is_empty() {
            conn.immediate_transaction(|conn| catch_up(conn, &self.behind, self.received))?;
        }
        self.forget();
        Ok(())
    }

    /// Nothing can be written now: it is tried again after a pause.
    pub(super) fn postpone(&mut self) {
        self.since = Instant::now();
    }

    /// Nothing is behind any more.
    pub(super) fn forget(&mut self) {
        if !self.minutes.is_empty() {
            self.behind = Rollup::default();
            self.minutes.clear();
        }
    }
}

/// Writes all that is behind.
fn catch_up(conn: &mut SqliteConnection, behind: &Rollup, received: i64) -> QueryResult<()> {
    rollups::add(conn, behind, received, Levels::Coarse)?;
    conn.batch_execute("DELETE FROM roll_behind")
}

/// Makes the coarser rows anew of the times whose minutes stand in `roll_behind`: after a crash.
pub(super) fn repair(conn: &mut SqliteConnection) -> QueryResult<()> {
    #[derive(QueryableByName)]
    struct Bucket {
        #[diesel(sql_type = BigInt)]
        bucket: i64,
    }
    conn.immediate_transaction(|conn| {
        for level in &LEVELS[1..] {
            // SQLite's `%` is negative before 1970, and buckets begin at or before their times.
            let buckets: Vec<Bucket> = diesel::sql_query(
                "SELECT DISTINCT bucket - ((bucket % ?1) + ?1) % ?1 AS bucket FROM roll_behind",
            )
            .bind::<BigInt, _>(level)
            .load(conn)?;
            for Bucket { bucket } in buckets {
                let text = include_str!("coarse_rollups/repair.sql")
                    .replace(":level", &level.to_string())
                    .replace(":bucket", &bucket.to_string());
                conn.batch_execute(&text)?;
            }
        }
        conn.batch_execute("DELETE FROM roll_behind")
    })
}
