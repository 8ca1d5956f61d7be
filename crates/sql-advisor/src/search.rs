//! Tries changes on the copy, and keeps those that help the whole workload.

mod change;
mod rounds;
mod trial;
mod words;

use std::path::Path;

use crate::candidates::{Candidate, candidates};
use crate::error::AdviseError;
use crate::lab::{Lab, Ready};
use crate::options::{Options, Recorded, Stage};
use crate::report::{Advice, Cost, Measured, Recommended, Refused, Replayed};
use change::{Applied, Change};

/// The least share of the workload's work that a change has to save.
const LEAST_SAVED: f64 = 0.01;

/// The least share of its own work that a change has to save for one statement.
const LEAST_HELP: f64 = 1.0 / 3.0;

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
                Err(why) => not_judged.push(Replayed::new(recorded, Err(why))),
            }
        }
        if measured.is_empty() {
            let why = not_judged.iter().find_map(|replayed| replayed.why.clone());
            return Err(AdviseError::NoStatement(
                why.unwrap_or_else(|| "the workload is empty".to_owned()),
            ));
        }
        // The dearest first: where there are too many candidates, theirs are tried.
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
            // ANALYZE is not counted.
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
