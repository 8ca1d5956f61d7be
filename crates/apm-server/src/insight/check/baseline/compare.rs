//! A run against a baseline.

use std::collections::{HashMap, HashSet};

use super::{Baseline, Entry, Most, Seen};
use crate::insight::check::Outcome;
use crate::insight::finding::count_words;

/// Fewer steps more are noise: the same statement finds a row more or less.
const FEW: f64 = 20.0;

/// Differences from a baseline that are allowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Allowed {
    /// The share by which a request's steps of a statement may grow, such as 0.1; none: they are not compared.
    pub more_steps: Option<f64>,
    /// Whether there may be statements that the baseline does not have.
    pub new_statements: bool,
    /// Whether plans may be others.
    pub other_plans: bool,
}

/// Compares what was seen with a baseline.
pub(super) fn compare(baseline: &Baseline, all: &Seen, allowed: Allowed) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    let seen = &all.statements;
    // A baseline may have thousands of entries, too many to look through for each of as many others.
    let seen_by_key: HashMap<_, &Entry> = seen.iter().map(|entry| (entry.key(), entry)).collect();
    let known: HashSet<_> = baseline.statements.iter().map(Entry::key).collect();
    let find = |entry: &Entry| seen_by_key.get(&entry.key()).copied();
    let pairs: Vec<(&Entry, &Entry)> = baseline
        .statements
        .iter()
        .filter_map(|entry| Some((entry, find(entry)?)))
        .collect();
    // An entry that is not there may have been left out.
    let is_gone = |entry: &&Entry| find(entry).is_none() && all.left_out == 0;
    let unseen: Vec<String> = baseline
        .statements
        .iter()
        .filter(is_gone)
        .map(|entry| {
            format!(
                "{} was not seen: where it is gone, write the baseline anew with --update",
                entry.words()
            )
        })
        .collect();
    // A request of which statements are missing may have run more of them, and others.
    let mut unknown = unseen.clone();
    unknown.extend(all.not_judged());
    if let Some(share) = allowed.more_steps {
        outcomes.push(more_steps(&pairs, &unknown, share));
    }
    if !allowed.new_statements {
        let is_new = |entry: &&Entry| !known.contains(&entry.key());
        let failures = seen
            .iter()
            .filter(is_new)
            .map(|entry| format!("{} is new", entry.words()))
            .collect();
        // It is not known what runs instead of what was not seen.
        outcomes.push(outcome("no-new-statements", seen.len(), failures, unknown));
    }
    if !allowed.other_plans {
        // The plan of a statement is the same for each of its calls.
        let unseen: Vec<String> = unseen.into_iter().chain(all.beyond()).collect();
        outcomes.push(plans(&pairs, &unseen));
    }
    outcomes
}

/// The verdict, with a reason where nothing was seen at all.
fn outcome(check: &str, judged: usize, failures: Vec<String>, not_judged: Vec<String>) -> Outcome {
    let not_judged = match judged == 0 && not_judged.is_empty() && failures.is_empty() {
        true => {
            vec!["no statement was seen: agents send them for sampled requests only".to_owned()]
        }
        false => not_judged,
    };
    Outcome::new(check, judged, failures, not_judged)
}

fn more_steps(pairs: &[(&Entry, &Entry)], unseen: &[String], share: f64) -> Outcome {
    let (mut failures, mut not_judged) = (Vec::new(), unseen.to_vec());
    for (before, now) in pairs {
        let words = now.words();
        let (old_calls, new_calls) = (before.calls_per_request, now.calls_per_request);
        let per_request = match (before.steps_per_call, now.steps_per_call) {
            (Some(old), Some(new)) => Some((old * old_calls, new * new_calls)),
            _ => None,
        };
        // More calls are told even where no steps are known.
        // The file has two digits: half of the last one is no difference.
        if new_calls > old_calls * (1.0 + share) + 0.005 {
            failures.push(format!(
                "{words} ran {new_calls:.2} times per request, not {old_calls:.2}"
            ));
        } else if let Some((old, new)) = per_request {
            if new > old * (1.0 + share) && new - old > FEW {
                let more = 100.0 * (new / old.max(1.0) - 1.0);
                failures.push(format!(
                    "{words} took {} steps per request, not {}: {more:.0} % more",
                    count_words(new),
                    count_words(old)
                ));
            }
        } else {
            let whose = if now.steps_per_call.is_none() {
                "this run"
            } else {
                "the baseline"
            };
            not_judged.push(format!(
                "{words}: {whose} has no steps (docs/sql-cost.md says when there are none)"
            ));
        }
    }
    outcome("max-more-steps", pairs.len(), failures, not_judged)
}

fn plans(pairs: &[(&Entry, &Entry)], unseen: &[String]) -> Outcome {
    let (mut failures, mut not_judged) = (Vec::new(), unseen.to_vec());
    for (before, now) in pairs {
        match (&before.plan, &now.plan) {
            (Some(old), Some(new)) if old != new => failures.push(format!(
                "{} is answered by `{}`, not by `{}`",
                now.words(),
                new.join("; "),
                old.join("; ")
            )),
            (Some(_), Some(_)) => {}
            _ => not_judged.push(format!(
                "{}: there is no plan of it, in this time or in the baseline: agents send those of SQLite files in WAL \
                 mode within seconds, and again each hour. Give an earlier --since, or the service's file with \
                 --explain {}=FILE",
                now.words(),
                now.service
            )),
        }
    }
    outcome("no-plan-change", pairs.len(), failures, not_judged)
}

/// The bound `max-steps`: most steps that a call of a statement may take.
pub(super) fn steps_bound(seen: &Seen, most: f64) -> Outcome {
    bound(
        "max-steps",
        seen,
        most,
        ("took", "steps", "no steps are known"),
        |most| (most.steps, &most.steps_trace),
    )
}

/// The bound `max-rows-scanned`: most rows that a call of a statement may read in full scans of tables.
pub(super) fn scans_bound(seen: &Seen, most: f64) -> Outcome {
    bound(
        "max-rows-scanned",
        seen,
        most,
        ("scanned", "rows", "no rows of scans are known"),
        |most| (most.rows_scanned, &most.rows_scanned_trace),
    )
}

/// A bound on a figure of the dearest call of each entry, with its trace.
fn bound(
    check: &str,
    seen: &Seen,
    most: f64,
    (verb, unit, unknown): (&str, &str, &str),
    figure: fn(&Most) -> (f64, &String),
) -> Outcome {
    let (mut failures, mut not_judged) = (Vec::new(), Vec::new());
    for entry in &seen.statements {
        let words = entry.words();
        let dearest = entry.most.as_ref();
        if let Some((figure, trace)) = dearest.map(figure).filter(|(figure, _)| *figure > most) {
            let trace = match trace.is_empty() {
                true => String::new(),
                false => format!(" (trace {trace})"),
            };
            failures.push(format!(
                "{words} {verb} {} {unit} in one call, more than {}{trace}",
                count_words(figure),
                count_words(most)
            ));
        } else if dearest.is_none_or(|dearest| dearest.not_measured > 0.0) {
            let of = dearest.map_or_else(String::new, |dearest| {
                format!(" of {} calls", count_words(dearest.not_measured))
            });
            not_judged.push(format!(
                "{words}: {unknown}{of} (docs/sql-cost.md says when there are none)"
            ));
        }
    }
    not_judged.extend(seen.not_judged());
    outcome(check, seen.statements.len(), failures, not_judged)
}

#[cfg(test)]
mod tests;
