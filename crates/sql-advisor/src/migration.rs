//! A migration on a copy: which plans change, who gains, who loses, and how long it holds the write lock.

use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::error::AdviseError;
use crate::guard::{Whose, message};
use crate::lab::{Lab, Ready};
use crate::options::{Options, Recorded, Stage};
use crate::report::{Cost, Replayed};
use crate::schema::Schema;

/// Differences below this share of a statement's steps are not reported.
const SAME: f64 = 0.05;

/// Differences below so many steps are not reported.
const FEW: f64 = 10.0;

/// Steps that a statement takes for each entry of an index that it writes, at most: they belong to the entry.
const ENTRY_OWN_STEPS: f64 = 10.0;

/// The effect of a migration on a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fate {
    /// It takes fewer steps.
    Gains,
    /// It takes about as many.
    Same,
    /// It takes about as many, and more entries of indexes to write.
    Pays,
    /// It takes more.
    Loses,
    /// It fails.
    Breaks,
}

/// A statement before and after a migration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replay {
    /// As the caller knows it.
    pub id: String,
    /// Its text as recorded.
    pub sql: String,
    /// Number of times that it ran.
    pub calls: f64,
    /// The effect on it.
    pub fate: Fate,
    /// Whether SQLite answers it in another way.
    pub replanned: bool,
    /// Before.
    pub before: Cost,
    /// After; none where it fails.
    pub after: Option<Cost>,
    /// Why it fails.
    pub why: Option<String>,
}

/// The effect of a migration on a workload.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Migration {
    /// The time for which it held the write lock on the copy, ms. No other connection can write for that time.
    pub lock_ms: f64,
    /// Bytes that the file grows by; below 0 where it shrinks.
    pub grows: i64,
    /// Statements, those that fail or lose first.
    pub statements: Vec<Replay>,
    /// Statements that were not measured before it, each with the reason.
    pub not_judged: Vec<Replayed>,
    /// Work of the workload before, in steps weighted by calls, of the statements that run before and after.
    pub work_before: f64,
    /// After.
    pub work_after: f64,
}

impl Migration {
    /// Whether a statement fails or loses, or the work of all is more because some pay for indexes.
    #[must_use]
    pub fn harms(&self) -> bool {
        let has = |fate: Fate| self.statements.iter().any(|replay| replay.fate == fate);
        has(Fate::Loses) || has(Fate::Breaks) || self.costs_more()
    }

    /// Whether statements pay for indexes, and all together save less than that.
    #[must_use]
    pub fn costs_more(&self) -> bool {
        let pays = |replay: &Replay| replay.fate == Fate::Pays;
        self.statements.iter().any(pays) && self.work_after > self.work_before
    }
}

/// Applies a migration to a copy, and runs a workload before and after it.
///
/// # Errors
/// See [`AdviseError`]; [`AdviseError::Migration`] where the migration itself fails.
pub fn check_migration(
    file: &Path,
    migration: &str,
    workload: &[Recorded],
    options: &Options,
    progress: &mut dyn FnMut(Stage),
) -> Result<Migration, AdviseError> {
    let mut lab = Lab::open(file, options, progress)?;
    lab.count_all_indexes().map_err(|why| lab.copy.error(why))?;
    let (mut before, mut not_judged) = (Vec::new(), Vec::new());
    for (at, recorded) in workload.iter().enumerate() {
        progress(Stage::Statements(at, workload.len() * 2));
        match lab.first_run(recorded) {
            Ok(found) => before.push(found),
            Err(why) => not_judged.push(Replayed::new(recorded, Err(why))),
        }
    }
    let size = lab.copy.bytes()?;
    let lock = lab.migrate(migration)?;
    let grows = lab.copy.bytes()? as i64 - size as i64;
    let mut statements = Vec::new();
    for (at, (cost, ready)) in before.into_iter().enumerate() {
        progress(Stage::Statements(workload.len() + at, workload.len() * 2));
        if lab.copy.guard.is_stopped() {
            return Err(AdviseError::Stopped);
        }
        statements.push(lab.again(ready, cost));
    }
    let work = |cost: fn(&Replay) -> &Cost, statements: &[Replay]| -> f64 {
        // A statement that failed on one side has no work to compare.
        let both = statements.iter().filter(|replay| replay.after.is_some());
        both.map(|replay| replay.calls * cost(replay).work()).sum()
    };
    statements.sort_by(|a, b| {
        rank(a)
            .cmp(&rank(b))
            .then(difference(b).total_cmp(&difference(a)))
    });
    Ok(Migration {
        lock_ms: lock.as_secs_f64() * 1e3,
        grows,
        not_judged,
        work_before: work(|replay| &replay.before, &statements),
        work_after: work(
            |replay| replay.after.as_ref().unwrap_or(&replay.before),
            &statements,
        ),
        statements,
    })
}

fn rank(replay: &Replay) -> u8 {
    match replay.fate {
        Fate::Breaks => 0,
        Fate::Loses => 1,
        Fate::Pays => 2,
        Fate::Gains => 3,
        Fate::Same => 4,
    }
}

/// Work that the workload takes more or less.
fn difference(replay: &Replay) -> f64 {
    replay.after.as_ref().map_or(0.0, |after| {
        replay.calls * (after.work() - replay.before.work()).abs()
    })
}

/// The effect of what a statement takes before and after.
fn judged(before: &Cost, after: &Cost) -> Fate {
    let entries = after.entries - before.entries;
    let difference = after.steps - before.steps - ENTRY_OWN_STEPS * entries;
    // An entry fewer or more explains a difference of its own steps, not a gain or a loss beside it.
    let least = FEW.max(before.steps * SAME) + ENTRY_OWN_STEPS * entries.abs();
    match difference.abs() < least {
        true if entries > 0.0 => Fate::Pays,
        true if entries < 0.0 => Fate::Gains,
        true => Fate::Same,
        false if difference > 0.0 => Fate::Loses,
        false => Fate::Gains,
    }
}

impl Lab {
    /// Runs a migration in one transaction, or in its own ones where it has some, and returns how long that held the
    /// write lock.
    fn migrate(&mut self, migration: &str) -> Result<Duration, AdviseError> {
        let time = self.deadline.saturating_duration_since(Instant::now());
        let conn = &self.copy.conn;
        let run = |around: bool| {
            let start = Instant::now();
            self.copy.guard.run(Whose::Migration, time, || {
                if around {
                    conn.execute_batch("BEGIN IMMEDIATE")?;
                }
                conn.execute_batch(migration)?;
                if around {
                    conn.execute_batch("COMMIT")
                } else {
                    Ok(())
                }
            })?;
            Ok::<_, String>(start.elapsed())
        };
        // A migration waits for the disk, unlike what is only measured.
        let ours = |error: rusqlite::Error| self.copy.error(message(&error));
        conn.execute_batch("PRAGMA synchronous = FULL")
            .map_err(ours)?;
        let mut done = run(true);
        if !conn.is_autocommit() {
            conn.execute_batch("ROLLBACK").map_err(ours)?;
        }
        // Transactions of its own, or a VACUUM.
        if done
            .as_ref()
            .is_err_and(|why| why.contains("within a transaction") || why.contains("from within"))
        {
            done = run(false);
        }
        let took = done.map_err(|why| match self.copy.guard.is_stopped() {
            true => AdviseError::Stopped,
            false => AdviseError::Migration(why),
        })?;
        conn.execute_batch("PRAGMA synchronous = OFF")
            .map_err(ours)?;
        self.schema = Schema::read(conn).map_err(ours)?;
        self.count_all_indexes()
            .map_err(|why| self.copy.error(why))?;
        Ok(took)
    }

    /// Runs a statement once more, with the same values.
    fn again(&self, ready: Ready, before: Cost) -> Replay {
        let after = self.run(&ready);
        let fate = match &after {
            Err(_) => Fate::Breaks,
            Ok(after) => judged(&before, after),
        };
        let (after, why) = match after {
            Ok(after) => (Some(after), None),
            Err(why) => (None, Some(why)),
        };
        Replay {
            replanned: after
                .as_ref()
                .is_some_and(|after| after.plan != before.plan),
            id: ready.recorded.id,
            sql: ready.recorded.sql,
            calls: ready.recorded.calls,
            fate,
            before,
            after,
            why,
        }
    }
}
