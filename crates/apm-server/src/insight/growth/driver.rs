//! The table that drives the growth of a statement that names several.
//!
//! Each table's rows are a possible cause. A table that the plan scans is the likelier one; else that whose rows the
//! work follows most closely (ADR 480).

use super::of_table::Growth;
use crate::insight::plan::Plan;
use crate::insight::tables::{Named, scanned};

/// Tables of a statement that are looked at.
const TABLES: usize = 4;

/// The tables whose rows may drive a statement, the one that it names first before the others.
pub(super) fn candidates(first: &str, named: &[Named]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let others = named.iter().map(|named| named.table.as_str());
    for table in std::iter::once(first).chain(others) {
        let is_new = !found.iter().any(|known| known == table);
        if found.len() < TABLES && !table.is_empty() && is_new {
            found.push(table.to_owned());
        }
    }
    found
}

/// The growth by the table that drives it, of those by each of its tables. `plan` may be empty.
pub(super) fn driver(mut found: Vec<Growth>, plan: &Plan, named: &[Named]) -> Option<Growth> {
    let scanned = scanned(plan, named);
    let is_scanned = |growth: &Growth| {
        let is_it = |table: &&str| table.eq_ignore_ascii_case(&growth.table);
        scanned.iter().any(is_it)
    };
    // If nothing tells the rows of a table that is scanned, it may be the cause, and another one is no better than a
    // guess.
    let unknown = found
        .iter()
        .position(|growth| growth.rows_unknown && is_scanned(growth));
    let is_known = |growth: &Growth| is_scanned(growth) && state(growth) >= State::Judged;
    if let Some(at) = unknown.filter(|_| !found.iter().any(is_known)) {
        return Some(found.swap_remove(at));
    }
    let rank = |growth: &Growth| (state(growth), is_scanned(growth), closeness(growth));
    let mut best: Option<Growth> = None;
    for growth in found {
        let is_better = best.as_ref().is_none_or(|best| rank(&growth) > rank(best));
        if is_better {
            best = Some(growth);
        }
    }
    best
}

/// The growth that a table's rows show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    /// There is nothing to tell it by.
    Unknown,
    /// There is none.
    Judged,
    /// It ended.
    Ended,
    /// It goes on.
    Grows,
}

fn state(growth: &Growth) -> State {
    let steps = growth.steps.as_ref().filter(|steps| steps.is_judged());
    let (grows, ended, judged) = match steps {
        Some(steps) => (steps.growing().is_some(), steps.ended().is_some(), true),
        None => (
            growth.growing().is_some(),
            growth.ended().is_some(),
            growth.regimes.iter().any(super::Regime::is_judged),
        ),
    };
    match (grows, ended, judged) {
        (true, ..) => State::Grows,
        (_, true, _) => State::Ended,
        (_, _, true) => State::Judged,
        _ => State::Unknown,
    }
}

/// The share of the work that the rows explain, R².
fn closeness(growth: &Growth) -> f64 {
    let steps = growth.steps.as_ref().and_then(|steps| steps.trend());
    let time = growth.regimes.last().and_then(|regime| regime.fit);
    steps
        .map(|trend| trend.line)
        .or(time)
        .map_or(0.0, |line| line.r_squared)
}

#[cfg(test)]
mod tests;
