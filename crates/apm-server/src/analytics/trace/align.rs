//! Two traces side by side: which operations are in both, which in one of them only, and which take longer.
//!
//! Siblings of one name that follow each other are one row, so that 100 calls in a loop are compared with 2. Rows are
//! put beside each other by name and position: from the entry on, the children of what was matched are matched, in
//! their order. What is below two rows is matched again; what is below a row of one trace is in that trace only.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::Trace;
use super::item::What;

/// Rows of a comparison: with more of them the rest is left out.
pub const MOST_ROWS: usize = 2_000;

/// Siblings that are matched in their order; of more, each is matched with the next of its name.
const MOST_IN_ORDER: usize = 400;

/// A difference that is told of: at least this share of the shorter one, and this long (µs).
const SHARE: f64 = 0.2;
const LEAST: i64 = 100;

/// The operations of one trace in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize)]
#[schemars(rename = "ComparedSide")]
pub struct Side {
    /// Operations, those that one span stands for too.
    pub count: i64,
    /// Their time, µs.
    pub duration: i64,
    /// The time that their children leave uncovered, µs.
    pub self_time: i64,
    /// Start of the first, µs from the start of the entry.
    pub at: i64,
    /// Those that failed.
    pub failed: i64,
    /// Index of the first in its trace.
    #[serde(skip)]
    pub item: u32,
}

/// The change of an operation from the first trace to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Became {
    /// It is in both, and takes about as long.
    Same,
    /// It takes longer in the second trace.
    Slower,
    /// It takes less time in the second trace.
    Faster,
    /// It is in the second trace only.
    New,
    /// It is in the first trace only.
    Gone,
}

/// An operation in one trace or in both.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
#[schemars(rename = "ComparedRow")]
pub struct Row {
    /// Generations above it.
    pub depth: u32,
    /// `service.name`
    pub service: String,
    /// Name of the transaction or span.
    pub name: String,
    /// `transaction.type` or `span.type`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `span.subtype`, may be empty.
    pub subtype: String,
    /// Its change.
    pub became: Became,
    /// In the first trace.
    pub first: Option<Side>,
    /// In the second trace.
    pub second: Option<Side>,
    /// The time by which the second is longer, µs.
    pub difference: i64,
}

impl Row {
    /// The same of the time that children leave uncovered: the sum over all rows is the difference of all work.
    #[must_use]
    pub fn own_difference(&self) -> i64 {
        let time = |side: &Option<Side>| side.map_or(0, |side| side.self_time);
        time(&self.second) - time(&self.first)
    }
}

/// Two traces, aligned.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
#[schemars(rename = "ComparedTraces")]
pub struct Aligned {
    /// Parents before their children, in the order of the traces; at most 2 000.
    pub rows: Vec<Row>,
    /// Whether there are more rows.
    pub is_cut: bool,
}

/// Operations of one name that follow each other below one parent.
struct Run {
    what: Arc<What>,
    is_transaction: bool,
    items: Vec<u32>,
}

impl Run {
    fn is_like(&self, other: &Self) -> bool {
        self.is_transaction == other.is_transaction && is_alike(&self.what, &other.what)
    }
}

fn is_alike(a: &What, b: &What) -> bool {
    a.name == b.name && a.service == b.service && a.kind == b.kind && a.subtype == b.subtype
}

/// A trace with the children of each item.
struct Tree<'a> {
    trace: &'a Trace,
    roots: Vec<u32>,
    children: Vec<Vec<u32>>,
}

impl<'a> Tree<'a> {
    fn new(trace: &'a Trace) -> Self {
        let mut tree = Self {
            trace,
            roots: Vec::new(),
            children: vec![Vec::new(); trace.items.len()],
        };
        for (index, item) in (0u32..).zip(&trace.items) {
            match item.parent {
                Some(parent) if (parent as usize) < trace.items.len() => {
                    tree.children[parent as usize].push(index);
                }
                _ => tree.roots.push(index),
            }
        }
        tree
    }

    /// The operations below some items, as rows.
    fn runs(&self, parents: &[u32]) -> Vec<Run> {
        let below = parents
            .iter()
            .flat_map(|parent| &self.children[*parent as usize]);
        let mut runs = self.fold(below.copied());
        if parents.len() > 1 {
            // Below several items the same names come again and again.
            let mut merged: Vec<Run> = Vec::new();
            for run in runs {
                // Among the first names only: thousands of different calls would cost the square of their number.
                let known = merged
                    .iter_mut()
                    .take(MOST_IN_ORDER)
                    .find(|known| known.is_like(&run));
                match known {
                    Some(known) => known.items.extend(run.items),
                    None => merged.push(run),
                }
            }
            runs = merged;
        }
        runs
    }

    fn fold(&self, items: impl Iterator<Item = u32>) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for index in items {
            let item = &self.trace.items[index as usize];
            match runs.last_mut() {
                Some(run)
                    if run.is_transaction == item.is_transaction
                        && is_alike(&run.what, &item.what) =>
                {
                    run.items.push(index);
                }
                _ => runs.push(Run {
                    what: Arc::clone(&item.what),
                    is_transaction: item.is_transaction,
                    items: vec![index],
                }),
            }
        }
        runs
    }

    fn side(&self, run: &Run) -> Side {
        let mut side = Side {
            count: 0,
            duration: 0,
            self_time: 0,
            at: i64::MAX,
            failed: 0,
            item: run.items.first().copied().unwrap_or_default(),
        };
        for index in &run.items {
            let item = &self.trace.items[*index as usize];
            let composite = item.composite();
            side.count += composite.map_or(1, |of| of.count);
            side.duration += composite.map_or(item.duration, |of| of.sum);
            side.self_time += item.self_time;
            side.at = side.at.min(item.at);
            side.failed += i64::from(item.failed());
        }
        side
    }
}

/// Compares two traces.
#[must_use]
pub fn align(first: &Trace, second: &Trace) -> Aligned {
    let (first, second) = (Tree::new(first), Tree::new(second));
    let mut aligned = Aligned {
        rows: Vec::new(),
        is_cut: false,
    };
    let roots = pairs(
        first.fold(first.roots.iter().copied()),
        second.fold(second.roots.iter().copied()),
    );
    // The pairs that are still to be written, the next one last.
    let mut open: Vec<(u32, Pair)> = Vec::new();
    open.extend(roots.into_iter().rev().map(|pair| (0, pair)));
    while let Some((depth, pair)) = open.pop() {
        if aligned.rows.len() >= MOST_ROWS {
            aligned.is_cut = true;
            break;
        }
        let below = pairs(
            pair.0
                .as_ref()
                .map_or_else(Vec::new, |run| first.runs(&run.items)),
            pair.1
                .as_ref()
                .map_or_else(Vec::new, |run| second.runs(&run.items)),
        );
        aligned.rows.extend(row(depth, &pair, &first, &second));
        // Reversed, as the last one is taken first: rows come in the order of the traces.
        open.extend(below.into_iter().rev().map(|pair| (depth + 1, pair)));
    }
    aligned
}

type Pair = (Option<Run>, Option<Run>);

/// Puts the rows of two lists beside each other, in the order of both.
fn pairs(first: Vec<Run>, second: Vec<Run>) -> Vec<Pair> {
    let matched = match first.len().max(second.len()) > MOST_IN_ORDER {
        true => by_name(&first, &second),
        false => in_order(&first, &second),
    };
    let mut of_second: Vec<Option<usize>> = vec![None; second.len()];
    for (index, partner) in matched.iter().enumerate() {
        if let Some(partner) = partner {
            of_second[*partner] = Some(index);
        }
    }
    let mut second: Vec<Option<Run>> = second.into_iter().map(Some).collect();
    let mut pairs = Vec::with_capacity(first.len() + second.len());
    let mut next = 0;
    for (run, partner) in first.into_iter().zip(matched) {
        let Some(partner) = partner else {
            pairs.push((Some(run), None));
            continue;
        };
        // New rows before the partner stand before it.
        while next < partner {
            if of_second[next].is_none() {
                pairs.push((None, second[next].take()));
            }
            next += 1;
        }
        next = next.max(partner + 1);
        pairs.push((Some(run), second[partner].take()));
    }
    let rest = second.into_iter().enumerate().skip(next);
    pairs.extend(rest.filter_map(|(_, run)| run).map(|run| (None, Some(run))));
    pairs
}

/// The longest sequence of names that both lists have: for each row of the first its partner in the second.
fn in_order(first: &[Run], second: &[Run]) -> Vec<Option<usize>> {
    let (rows, columns) = (first.len(), second.len());
    let mut longest = vec![0u16; (rows + 1) * (columns + 1)];
    let at = |row: usize, column: usize| row * (columns + 1) + column;
    // From the end on: the longest match of what is left decides which row is passed over.
    for row in (0..rows).rev() {
        for column in (0..columns).rev() {
            longest[at(row, column)] = match first[row].is_like(&second[column]) {
                true => longest[at(row + 1, column + 1)] + 1,
                false => longest[at(row + 1, column)].max(longest[at(row, column + 1)]),
            };
        }
    }
    let mut matched = vec![None; rows];
    let (mut row, mut column) = (0, 0);
    while row < rows && column < columns {
        if first[row].is_like(&second[column]) {
            matched[row] = Some(column);
            (row, column) = (row + 1, column + 1);
        } else if longest[at(row + 1, column)] >= longest[at(row, column + 1)] {
            row += 1;
        } else {
            column += 1;
        }
    }
    matched
}

/// The next row of the same name, for lists that are too long to be compared in order.
fn by_name(first: &[Run], second: &[Run]) -> Vec<Option<usize>> {
    let mut next = 0;
    first
        .iter()
        .map(|run| {
            // The search is bounded, so that long lists do not cost the square of their length.
            let within = second[next..].iter().take(MOST_IN_ORDER);
            let found = within.enumerate().find(|(_, other)| run.is_like(other));
            let partner = found.map(|(offset, _)| next + offset);
            next = partner.map_or(next, |partner| partner + 1);
            partner
        })
        .collect()
}

fn row(depth: u32, pair: &Pair, first: &Tree<'_>, second: &Tree<'_>) -> Option<Row> {
    let sides = (
        pair.0.as_ref().map(|run| first.side(run)),
        pair.1.as_ref().map(|run| second.side(run)),
    );
    let time = |side: Option<Side>| side.map_or(0, |side| side.duration);
    let what = &pair.0.as_ref().or(pair.1.as_ref())?.what;
    Some(Row {
        depth,
        service: what.service.to_string(),
        name: what.name.to_string(),
        kind: what.kind.to_string(),
        subtype: what.subtype.to_string(),
        became: became(sides.0, sides.1),
        difference: time(sides.1) - time(sides.0),
        first: sides.0,
        second: sides.1,
    })
}

fn became(first: Option<Side>, second: Option<Side>) -> Became {
    let (Some(first), Some(second)) = (first, second) else {
        return if first.is_some() {
            Became::Gone
        } else {
            Became::New
        };
    };
    let difference = second.duration - first.duration;
    let shorter = first.duration.min(second.duration) as f64;
    let is_told = difference.abs() >= LEAST && difference.abs() as f64 >= SHARE * shorter;
    match difference.signum() {
        1 if is_told => Became::Slower,
        -1 if is_told => Became::Faster,
        _ => Became::Same,
    }
}

#[cfg(test)]
mod tests;
