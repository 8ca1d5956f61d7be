//! Tries changes on the copy, and keeps those that help the whole workload.

mod change;
mod trial;
mod words;

use std::path::Path;

use crate::candidates::{Candidate, candidates};
use crate::error::AdviseError;
use crate::lab::{LATE, Lab, Ready};
use crate::options::{Options, Recorded, Stage};
use crate::report::{Advice, Cost, Measured, Recommended, Refused, Replayed, Write};
use change::{Applied, Change};
use trial::Trial;

/// The least share of the workload's work that a change has to save.
const LEAST_SAVED: f64 = 0.01;

/// The least share of its own work that a change has to save for one statement.
const LEAST_HELP: f64 = 1.0 / 3.0;

/// Of changes that save nearly as much as the best, the smallest is taken.
const NEARLY: f64 = 0.95;

/// Pairs that are tried where no single index helps.
const PAIRS: usize = 10;

/// Changes that are recommended at most.
const MOST: usize = 10;

/// Finds what helps a workload. The file is read once, and never written.
///
/// # Errors
/// See [`AdviseError`].
///
/// # Examples
/// ```no_run
/// use sql_advisor::{Options, Recorded, advise};
///
/// let workload = [Recorded {
///     id: "by city".to_owned(),
///     sql: "SELECT name FROM people WHERE city = ?".to_owned(),
///     calls: 1_000.0,
/// }];
/// let advice = advise("database.db".as_ref(), &workload, &Options::default(), &mut |_| ())?;
/// for recommended in &advice.recommended {
///     println!("{};", recommended.change);
/// }
/// # Ok::<(), sql_advisor::AdviseError>(())
/// ```
pub fn advise(
    file: &Path,
    workload: &[Recorded],
    options: &Options,
    progress: &mut dyn FnMut(Stage),
) -> Result<Advice, AdviseError> {
    let lab = Lab::open(file, options, progress)?;
    let mut search = Search::new(lab, workload, progress)?;
    search.singles(progress)?;
    search.pairs(progress)?;
    search.prune()?;
    Ok(search.finish())
}

struct Search {
    lab: Lab,
    ready: Vec<Ready>,
    /// Of each statement, as the database is.
    first: Vec<Cost>,
    /// Of each statement, with what is applied.
    now: Vec<Cost>,
    /// Work of the workload at the beginning.
    total: f64,
    not_judged: Vec<Replayed>,
    /// Candidates with the numbers of the statements that they are for.
    changes: Vec<(Change, Vec<usize>)>,
    applied: Vec<(Applied, Recommended)>,
    refused: Vec<Refused>,
    complete: bool,
}

impl Search {
    /// Measures the statements as they are, and collects candidates.
    fn new(
        lab: Lab,
        workload: &[Recorded],
        progress: &mut dyn FnMut(Stage),
    ) -> Result<Self, AdviseError> {
        let mut sorted: Vec<&Recorded> = workload.iter().collect();
        sorted.sort_by(|a, b| b.calls.total_cmp(&a.calls));
        let most = lab.options.statements;
        let (mut measured, mut not_judged) = (Vec::new(), Vec::new());
        for (at, recorded) in sorted.iter().enumerate() {
            progress(Stage::Statements(at, sorted.len().min(most)));
            if lab.copy.guard.is_stopped() {
                return Err(AdviseError::Stopped);
            }
            let ready = match at < most {
                true => lab.ready(recorded),
                false => Err(format!(
                    "only the {most} statements with most calls are measured"
                )),
            };
            match ready.and_then(|ready| Ok((lab.run(&ready)?, ready))) {
                Ok(found) => measured.push(found),
                Err(why) => not_judged.push(Replayed::of(recorded, Err(why))),
            }
        }
        if measured.is_empty() {
            let why = not_judged.iter().find_map(|replayed| replayed.why.clone());
            return Err(AdviseError::NoStatement(
                why.unwrap_or_else(|| "the workload is empty".to_owned()),
            ));
        }
        measured.sort_by(|(a, ready), (b, other)| {
            (b.work() * other.recorded.calls).total_cmp(&(a.work() * ready.recorded.calls))
        });
        let (first, ready): (Vec<Cost>, Vec<Ready>) = measured.into_iter().unzip();
        let mut search = Self {
            now: first.clone(),
            total: total(&ready, &first),
            first,
            ready,
            lab,
            not_judged,
            changes: Vec::new(),
            applied: Vec::new(),
            refused: Vec::new(),
            complete: true,
        };
        search.collect();
        Ok(search)
    }

    /// Candidates of all statements, those of the dearest first. ANALYZE is one of them.
    fn collect(&mut self) {
        let mut found: Vec<(Candidate, Vec<usize>)> = Vec::new();
        let only = &self.lab.options.only;
        let wanted = |ready: &Ready| only.is_empty() || only.contains(&ready.recorded.id);
        for (at, ready) in self
            .ready
            .iter()
            .enumerate()
            .filter(|(_, ready)| wanted(ready))
        {
            for candidate in candidates(&ready.reading, &self.lab.schema) {
                match found.iter_mut().find(|(known, _)| *known == candidate) {
                    Some((_, statements)) => statements.push(at),
                    None => found.push((candidate, vec![at])),
                }
            }
        }
        self.changes
            .push((Change::analyze(), (0..self.ready.len()).collect()));
        for (candidate, statements) in found {
            let name = candidate.name(|name| {
                !self.lab.schema.has(name)
                    && !self.changes.iter().any(|(change, _)| change.has(name))
            });
            let change = Change::index(&candidate, name);
            if self.changes.len() > self.lab.options.candidates {
                let most = self.lab.options.candidates;
                self.refuse(
                    &change,
                    &format!(
                        "not tried: only {most} changes are tried, those of the dearest \
                statements first"
                    ),
                );
                self.complete = false;
            } else {
                self.changes.push((change, statements));
            }
        }
    }

    fn refuse(&mut self, change: &Change, why: &str) {
        self.refused.push(Refused {
            change: change.text(),
            why: why.to_owned(),
        });
    }

    /// Applies one change after the other, as long as one helps.
    fn singles(&mut self, progress: &mut dyn FnMut(Stage)) -> Result<(), AdviseError> {
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
                    Ok(_) => self.refuse(&change, &self.superseded()),
                    Err(why) => self.refuse(&change, &why),
                }
            }
            is_first = false;
            let best = trials
                .iter()
                .map(|(_, trial)| trial.saved)
                .fold(0.0, f64::max);
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
            self.now[at] = after;
        }
        self.applied.push((applied, recommended));
        Ok(())
    }

    /// If no single index helps a dear statement, two together may: one for each side of an OR, or of a join.
    fn pairs(&mut self, progress: &mut dyn FnMut(Stage)) -> Result<(), AdviseError> {
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
                let parts = trial.change.parts();
                self.refused
                    .retain(|refused| !parts.contains(&refused.change));
                self.keep(trial)?;
            }
        }
        Ok(())
    }

    /// Takes back what later changes made needless.
    fn prune(&mut self) -> Result<(), AdviseError> {
        let mut at = 0;
        while self.applied.len() > 1 && at + 1 < self.applied.len() {
            let (applied, recommended) = self.applied[at].clone();
            let with = total(&self.ready, &self.now);
            if applied.change.is_analyze() || self.lab.is_late() {
                at += 1;
                continue;
            }
            self.undo(&applied)?;
            let without = self.costs(&applied.change, false);
            let after = without
                .as_ref()
                .map_or(f64::INFINITY, |costs| self.total_with(costs));
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

    fn finish(mut self) -> Advice {
        let work_after = total(&self.ready, &self.now);
        let assumed = words::assumed(&self);
        let statements = (0..self.ready.len()).map(|at| self.measured(at)).collect();
        if self.lab.is_late() {
            self.complete = false;
        }
        Advice {
            statements,
            not_judged: self.not_judged,
            recommended: self
                .applied
                .into_iter()
                .map(|(_, recommended)| recommended)
                .collect(),
            refused: self.refused,
            work_before: self.total,
            work_after,
            complete: self.complete,
            assumed,
        }
    }

    fn measured(&self, at: usize) -> Measured {
        let Ready {
            recorded, reading, ..
        } = &self.ready[at];
        let (before, after) = (self.first[at].clone(), self.now[at].clone());
        let is_helped = self
            .applied
            .iter()
            .any(|(_, done)| done.helps.contains(&recorded.id));
        let tried = self
            .changes
            .iter()
            .filter(|(change, of)| !change.is_analyze() && of.contains(&at))
            .count();
        let note = (!is_helped).then(|| words::note(&before, reading, tried));
        Measured {
            id: recorded.id.clone(),
            sql: recorded.sql.clone(),
            calls: recorded.calls,
            before,
            after,
            note,
        }
    }
}

/// Work of a workload.
fn total(ready: &[Ready], costs: &[Cost]) -> f64 {
    ready
        .iter()
        .zip(costs)
        .map(|(ready, cost)| ready.recorded.calls * cost.work())
        .sum()
}
