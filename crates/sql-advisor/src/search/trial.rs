//! A change on the copy: made, measured, and taken back.

use std::time::Instant;

use super::change::{Applied, Change};
use super::{LEAST_HELP, LEAST_SAVED, Search};
use crate::entries;
use crate::error::AdviseError;
use crate::guard::{Whose, message};
use crate::lab::LATE;
use crate::plan;
use crate::report::Cost;
use crate::schema::quote;
use crate::statistics::Statistics;

/// The effect of a change.
pub(super) struct Trial {
    pub(super) change: Change,
    pub(super) applied: Applied,
    /// Of the statements that it can concern, by number.
    pub(super) costs: Vec<(usize, Cost)>,
    /// Statements whose plan changed.
    pub(super) replanned: Vec<usize>,
    /// Work that it saves over the whole workload; below 0 where it costs more.
    pub(super) saved: f64,
    /// Of that, what reading saves, and what writing costs.
    pub(super) reading: f64,
    pub(super) writing: f64,
    /// The largest share of its own work that it saves for one statement.
    pub(super) help: f64,
    /// Its share of the workload.
    pub(super) share: f64,
}

/// Whether most of the rows that were scanned are returned all the same, and no sort is saved: what is saved are the
/// comparisons, and a scan of the table is as good as one of an index.
pub(super) fn leaves_most(before: &Cost, after: &Cost) -> bool {
    before.scan_steps > 0.0 && after.rows > before.scan_steps / 2.0 && after.sorts >= before.sorts
}

impl Trial {
    pub(super) fn helps(&self) -> bool {
        self.share >= LEAST_SAVED && self.help >= LEAST_HELP
    }
}

impl Search {
    /// Tries a change. The inner error says why it could not be tried.
    pub(super) fn attempt(
        &mut self,
        change: &Change,
    ) -> Result<Result<Trial, String>, AdviseError> {
        if self.lab.copy.guard.is_stopped() {
            return Err(AdviseError::Stopped);
        }
        if self.lab.is_late() {
            self.complete = false;
            return Ok(Err(format!("not tried: {LATE}")));
        }
        let applied = match self.apply(change)? {
            Ok(applied) => applied,
            Err(why) => return Ok(Err(why)),
        };
        let costs = self.costs(change, true);
        self.undo(&applied)?;
        let costs = match costs {
            Ok(costs) => costs,
            Err(why) => return Ok(Err(format!("with it, {why}"))),
        };
        let (mut reading, mut writing, mut help) = (0.0, 0.0, 0.0_f64);
        let mut replanned = Vec::new();
        for (at, cost) in &costs {
            let (now, calls) = (&self.now[*at], self.ready[*at].recorded.calls);
            let saved = calls * (now.work() - cost.work());
            match saved >= 0.0 {
                true => reading += saved,
                false if cost.entries > now.entries => writing -= saved,
                // Without more entries it is a worse plan that costs.
                false => reading += saved,
            }
            if now.work() > 0.0 && !leaves_most(now, cost) {
                help = help.max(1.0 - cost.work() / now.work());
            }
            if now.plan != cost.plan {
                replanned.push(*at);
            }
        }
        let saved = reading - writing;
        Ok(Ok(Trial {
            change: change.clone(),
            applied,
            costs,
            replanned,
            saved,
            reading,
            writing,
            help,
            share: saved / self.total.max(1.0),
        }))
    }

    /// Makes a change on the copy.
    pub(super) fn apply(
        &mut self,
        change: &Change,
    ) -> Result<Result<Applied, String>, AdviseError> {
        // Pages in use are counted, as an index may fill free ones.
        let before = self.lab.copy.used()?;
        let start = Instant::now();
        let done = if change.is_analyze() {
            self.analyze()
        } else {
            self.create(change)
        };
        let statistics = match done {
            Ok(statistics) => statistics,
            Err(why) => return Ok(Err(why)),
        };
        Ok(Ok(Applied {
            change: change.clone(),
            build: start.elapsed(),
            bytes: self.lab.copy.used()?.saturating_sub(before),
            statistics,
        }))
    }

    fn analyze(&self) -> Result<Option<Statistics>, String> {
        let conn = &self.lab.copy.conn;
        self.lab
            .copy
            .guard
            .run(Whose::Ours, self.lab.patience(), || {
                let before = Statistics::read(conn, i64::MAX)?;
                conn.execute_batch("ANALYZE")?;
                Ok(Some(before))
            })
    }

    fn create(&mut self, change: &Change) -> Result<Option<Statistics>, String> {
        for (at, index) in change.indexes.iter().enumerate() {
            let conn = &self.lab.copy.conn;
            let made = self
                .lab
                .copy
                .guard
                .run(Whose::Ours, self.lab.patience(), || {
                    // One statement, whatever its text came from.
                    conn.prepare(&index.sql)?.raw_execute()?;
                    entries::made(conn, &index.name, &index.table, index.condition.as_deref())
                });
            match made {
                Ok(made) => self.lab.made.push(made),
                Err(why) => {
                    // The one that failed may be there: only its share could not be read.
                    for index in &change.indexes[..=at] {
                        let _ = self.drop_index(&index.name);
                    }
                    return Err(format!("it cannot be made: {why}"));
                }
            }
        }
        Ok(None)
    }

    fn drop_index(&mut self, name: &str) -> rusqlite::Result<()> {
        self.lab.made.retain(|made| made.name != name);
        self.lab
            .copy
            .conn
            .execute_batch(&format!("DROP INDEX IF EXISTS {}", quote(name)))
    }

    /// Takes a change back.
    pub(super) fn undo(&mut self, applied: &Applied) -> Result<(), AdviseError> {
        let mut done = Ok(());
        if let Some(statistics) = &applied.statistics {
            done = statistics.put(&self.lab.copy.conn);
        }
        for index in &applied.change.indexes {
            // Every index goes, also after an error.
            done = done.and(self.drop_index(&index.name));
        }
        done.map_err(|error| self.lab.copy.error(message(&error)))
    }

    /// Costs of the statements that a change can concern. `is_made`: whether it is there, and not taken away.
    pub(super) fn costs(
        &self,
        change: &Change,
        is_made: bool,
    ) -> Result<Vec<(usize, Cost)>, String> {
        let mut costs = Vec::new();
        for (at, ready) in self.ready.iter().enumerate() {
            let writes = ready.reading.writes.is_some();
            let is_concerned = writes
                || ready
                    .reading
                    .uses
                    .iter()
                    .any(|used| change.is_on(&used.table));
            if !is_concerned {
                continue;
            }
            // The same plan takes the same steps. A statement that writes may write an index more.
            if !writes && is_made && self.plan(at)? == self.now[at].plan {
                continue;
            }
            let cost = self
                .lab
                .run(ready)
                .map_err(|why| format!("{}: {why}", ready.recorded.sql))?;
            costs.push((at, cost));
        }
        Ok(costs)
    }

    fn plan(&self, at: usize) -> Result<Vec<String>, String> {
        let ready = &self.ready[at];
        let none = Vec::new();
        let values = ready.values.first().unwrap_or(&none);
        let lab = &self.lab;
        lab.copy
            .guard
            .run(Whose::Recorded, lab.options.statement_time, || {
                plan::lines(&lab.copy.conn, &ready.reading.sql, values)
            })
    }

    /// Work of the workload with other costs for some statements.
    pub(super) fn total_with(&self, costs: &[(usize, Cost)]) -> f64 {
        let mut all = self.now.clone();
        for (at, cost) in costs {
            all[*at] = cost.clone();
        }
        super::total(&self.ready, &all)
    }
}
