//! Rounds of trials: one change after the other, pairs of changes, and what later changes made needless.

use super::change::Change;
use super::trial::Trial;
use super::{LEAST_HELP, LEAST_SAVED, Search, total, words};
use crate::error::AdviseError;
use crate::options::Stage;
use crate::report::{Recommended, Refused, Write};

/// Of changes that save nearly as much as the best, the smallest is taken.
const NEARLY: f64 = 0.95;

/// Pairs that are tried where no single index helps.
const PAIRS: usize = 10;

/// Changes that are recommended at most.
const MOST: usize = 10;

impl Search {
    /// Applies one change after the other, as long as one helps.
    pub(super) fn singles(&mut self, progress: &mut dyn FnMut(Stage)) -> Result<(), AdviseError> {
        let mut left: Vec<usize> = (0..self.changes.len()).collect();
        let (mut tried, mut is_first) = (0, true);
        while !left.is_empty() && self.applied.len() < MOST {
            let mut trials: Vec<(usize, Trial)> = Vec::new();
            for &at in &left {
                progress(Stage::Candidates(tried, tried.max(self.changes.len())));
                tried += 1;
                let change = self.changes[at].0.clone();
                match self.attempt(&change)? {
                    Ok(trial) if trial.helps() => trials.push((at, trial)),
                    Ok(trial) if is_first => self.refuse(&change, &words::refusal(&trial, self)),
                    // It helped in a round before: an applied change took its place.
                    Ok(_) => self.refuse(&change, &self.superseded()),
                    Err(why) => self.refuse(&change, &why),
                }
            }
            is_first = false;
            let best = trials
                .iter()
                .map(|(_, trial)| trial.saved)
                .fold(0.0, f64::max);
            // An index of one column often saves nearly what one of three does, and costs every write less.
            let near = trials
                .iter()
                .enumerate()
                .filter(|(_, (_, trial))| trial.saved >= best * NEARLY);
            let Some((found, _)) = near.min_by_key(|(_, (_, trial))| trial.applied.bytes) else {
                return Ok(());
            };
            let (_, trial) = trials.remove(found);
            self.keep(trial)?;
            left = trials.into_iter().map(|(at, _)| at).collect();
        }
        Ok(())
    }

    fn superseded(&self) -> String {
        let known: Vec<&str> = self
            .applied
            .iter()
            .map(|(_, done)| done.change.as_str())
            .collect();
        format!(
            "it helps alone, but saves too little on top of: {}",
            known.join("; ")
        )
    }

    /// Makes a change for good.
    fn keep(&mut self, trial: Trial) -> Result<(), AdviseError> {
        let applied = match self.apply(&trial.change)? {
            Ok(applied) => applied,
            Err(why) => {
                self.refuse(&trial.change, &why);
                return Ok(());
            }
        };
        let mut recommended = Recommended {
            change: trial.change.text(),
            saves: trial.saved / self.total.max(1.0),
            bytes: applied.bytes,
            build_ms: applied.build.as_secs_f64() * 1e3,
            helps: Vec::new(),
            writes: Vec::new(),
        };
        for (at, after) in trial.costs {
            let recorded = &self.ready[at].recorded;
            let before = self.now[at].clone();
            if after.work() < before.work() * (1.0 - LEAST_HELP) {
                recommended.helps.push(recorded.id.clone());
            }
            if after.entries > before.entries {
                recommended.writes.push(Write {
                    id: recorded.id.clone(),
                    sql: recorded.sql.clone(),
                    calls: recorded.calls,
                    before,
                    after: after.clone(),
                });
            }
            // The next round is measured on top of this change.
            self.now[at] = after;
        }
        self.applied.push((applied, recommended));
        Ok(())
    }

    /// If no single index helps a dear statement, two together may: one for each side of an OR, or of a join.
    pub(super) fn pairs(&mut self, progress: &mut dyn FnMut(Stage)) -> Result<(), AdviseError> {
        let mut tried = 0;
        for at in 0..self.ready.len().min(PAIRS) {
            let is_dear =
                self.now[at].work() * self.ready[at].recorded.calls >= self.total * LEAST_SAVED;
            let is_helped = self.now[at].work() < self.first[at].work() * (1.0 - LEAST_HELP);
            if !is_dear || is_helped {
                continue;
            }
            let own: Vec<Change> = self
                .changes
                .iter()
                .filter(|(change, statements)| statements.contains(&at) && change.is_simple())
                .map(|(change, _)| change.clone())
                .collect();
            let mut best: Option<Trial> = None;
            for (first, one) in own.iter().enumerate() {
                for other in own
                    .iter()
                    .skip(first + 1)
                    // Two that begin with the same column would serve the same side.
                    .filter(|other| other.leads() != one.leads())
                {
                    if tried >= PAIRS {
                        break;
                    }
                    tried += 1;
                    progress(Stage::Candidates(tried, PAIRS));
                    if let Ok(trial) = self.attempt(&one.with(other))?
                        && trial.helps()
                        && best.as_ref().is_none_or(|best| trial.saved > best.saved)
                    {
                        best = Some(trial);
                    }
                }
            }
            if let Some(trial) = best {
                // Alone they were refused.
                let parts = trial.change.parts();
                self.refused
                    .retain(|refused| !parts.contains(&refused.change));
                self.keep(trial)?;
            }
        }
        Ok(())
    }

    /// Takes back what later changes made needless.
    pub(super) fn prune(&mut self) -> Result<(), AdviseError> {
        let mut at = 0;
        // The last one was measured on top of all others.
        while self.applied.len() > 1 && at + 1 < self.applied.len() {
            let (applied, recommended) = self.applied[at].clone();
            let with = total(&self.ready, &self.now);
            // ANALYZE concerns the plans of all statements, and stays.
            if applied.change.is_analyze() || self.lab.is_late() {
                at += 1;
                continue;
            }
            self.undo(&applied)?;
            let without = self.costs(&applied.change, false);
            let after = without
                .as_ref()
                .map_or(f64::INFINITY, |costs| self.total_with(costs));
            // It saves less than half of what a change has to save, which is not worth an index.
            if after <= with * (1.0 + LEAST_SAVED / 2.0) {
                for (statement, cost) in without.unwrap_or_default() {
                    self.now[statement] = cost;
                }
                self.applied.remove(at);
                self.pass_on(recommended.helps);
                let why = format!("needless with what was found later: {}", self.superseded());
                self.refused.push(Refused {
                    change: recommended.change,
                    why,
                });
            } else {
                match self.apply(&applied.change)? {
                    Ok(again) => self.applied[at].0 = again,
                    // It could be made before: something is wrong with the copy.
                    Err(why) => return Err(self.lab.copy.error(why)),
                }
                at += 1;
            }
        }
        Ok(())
    }

    /// Statements that a change helped which is taken back: they are helped by the changes whose indexes they use now.
    fn pass_on(&mut self, helped: Vec<String>) {
        for id in helped {
            let Some(at) = self.ready.iter().position(|ready| ready.recorded.id == id) else {
                continue;
            };
            for (applied, recommended) in &mut self.applied {
                let is_used = applied.change.is_used_by(&self.now[at].plan);
                if is_used && !recommended.helps.contains(&id) {
                    recommended.helps.push(id.clone());
                }
            }
        }
    }
}
