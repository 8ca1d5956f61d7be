//! From the items of a trace to the rows of its waterfall: repeats folded, uncovered time shown, orphans marked.

mod row;

use crate::analytics::trace::cover;
use crate::analytics::trace::item::{Item, Trace};
use crate::ui::components::waterfall::{Waterfall, type_class};
use row::{fold_row, gap_row, item_row, orphans_row};

/// Alike leaves in a row from which they are folded.
const REPEATED: usize = 3;
/// Up to so many folded rows are shown open.
const SHORT: usize = 10;
/// Share of its parent from which uncovered time gets a row.
const GAP: f64 = 0.10;

/// How many calls an item stands for.
pub(super) fn weight(item: &Item) -> i64 {
    item.composite.map_or(1, |composite| composite.count.max(1))
}

/// Time of the calls that an item stands for, µs.
pub(super) fn busy(item: &Item) -> i64 {
    item.composite
        .map_or(item.duration, |composite| composite.sum)
}

/// The class of an item's colour.
pub(crate) fn class(item: &Item) -> &'static str {
    if item.is_transaction {
        "t-app"
    } else {
        type_class(&item.kind)
    }
}

/// What the rows need to know besides the trace.
pub(super) struct Options<'a> {
    /// Id of the item whose details are open.
    pub(super) selected: Option<&'a str>,
    /// Id of the transaction that the page is about.
    pub(super) current: Option<&'a str>,
    /// Whether repeats are folded.
    pub(super) fold: bool,
    /// The address of an item's details.
    pub(super) href: &'a dyn Fn(&Item) -> String,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Item {
        index: usize,
        level: usize,
        hidden: bool,
    },
    Fold {
        first: usize,
        len: usize,
        level: usize,
    },
    Gap {
        parent: usize,
        from: i64,
        to: i64,
        level: usize,
    },
    Orphans {
        level: usize,
    },
}

/// All rows, in order.
pub(super) fn waterfall(trace: &Trace, options: &Options<'_>) -> Waterfall {
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); trace.items.len()];
    let mut roots = Vec::new();
    for (index, item) in trace.items.iter().enumerate() {
        match item.parent {
            Some(parent) => children[parent].push(index),
            None => roots.push(index),
        }
    }
    let critical = critical(trace);
    let mut rows = Vec::with_capacity(trace.items.len() + 8);
    let (orphans, whole): (Vec<usize>, Vec<usize>) = roots
        .into_iter()
        .partition(|index| trace.items[*index].is_orphan && *index != 0);
    let mut steps: Vec<Step> = Vec::new();
    if !orphans.is_empty() {
        steps.extend(orphans.iter().rev().map(|index| Step::Item {
            index: *index,
            level: 2,
            hidden: false,
        }));
        steps.push(Step::Orphans { level: 1 });
    }
    steps.extend(whole.iter().rev().map(|index| Step::Item {
        index: *index,
        level: 1,
        hidden: false,
    }));
    while let Some(step) = steps.pop() {
        match step {
            Step::Item {
                index,
                level,
                hidden,
            } => {
                let below = &children[index];
                rows.push(item_row(
                    trace,
                    index,
                    level,
                    hidden,
                    !below.is_empty(),
                    &critical[index],
                    options,
                ));
                below_of(
                    trace,
                    index,
                    below,
                    level + 1,
                    options.fold,
                    &children,
                    &mut steps,
                );
            }
            Step::Fold { first, len, level } => {
                rows.push(fold_row(trace, first, len, level));
                let hidden = len > SHORT;
                steps.extend((first..first + len).rev().map(|index| Step::Item {
                    index,
                    level: level + 1,
                    hidden,
                }));
            }
            Step::Gap {
                parent,
                from,
                to,
                level,
            } => rows.push(gap_row(trace, parent, from, to, level)),
            Step::Orphans { level } => rows.push(orphans_row(trace, &orphans, level)),
        }
    }
    let from = trace
        .items
        .iter()
        .map(|item| item.at)
        .min()
        .unwrap_or(0)
        .min(0);
    Waterfall {
        rows,
        from,
        to: from + trace.duration,
    }
}

fn critical(trace: &Trace) -> Vec<Vec<(i64, i64)>> {
    let mut out = vec![Vec::new(); trace.items.len()];
    for stretch in &trace.critical_path {
        let own: &mut Vec<(i64, i64)> = &mut out[stretch.item];
        match out_last(own) {
            Some(last) if last.1 == stretch.from => last.1 = stretch.to,
            _ => own.push((stretch.from, stretch.to)),
        }
    }
    out
}

fn out_last(list: &mut [(i64, i64)]) -> Option<&mut (i64, i64)> {
    list.last_mut()
}

/// Children, runs of alike ones and gaps of one parent, in order of time; pushed backwards, as the stack wants them.
fn below_of(
    trace: &Trace,
    parent: usize,
    below: &[usize],
    level: usize,
    fold: bool,
    children: &[Vec<usize>],
    steps: &mut Vec<Step>,
) {
    let item = &trace.items[parent];
    let mut list: Vec<(i64, Step)> = Vec::with_capacity(below.len());
    let leaf = |index: usize| children[index].is_empty();
    let mut at = 0;
    while at < below.len() {
        let first = below[at];
        // Leaves that follow each other in the list of siblings also do so in the list of items.
        let alike = |index: &usize| leaf(*index) && same(&trace.items[first], &trace.items[*index]);
        let run = if fold && leaf(first) {
            below[at..].iter().take_while(|index| alike(index)).count()
        } else {
            1
        };
        if run >= REPEATED {
            list.push((
                trace.items[first].at,
                Step::Fold {
                    first,
                    len: run,
                    level,
                },
            ));
        } else {
            list.extend(below[at..at + run.max(1)].iter().map(|index| {
                (
                    trace.items[*index].at,
                    Step::Item {
                        index: *index,
                        level,
                        hidden: false,
                    },
                )
            }));
        }
        at += run.max(1);
    }
    // Between a call and what it reached lies the network, which no span could cover.
    let calls_out =
        !item.is_transaction && below.iter().all(|child| trace.items[*child].is_transaction);
    if !below.is_empty() && item.duration > 0 && !calls_out {
        let covered = below
            .iter()
            .map(|child| &trace.items[*child])
            .map(|child| (child.at, child.at.saturating_add(child.duration)));
        for (from, to) in
            cover::uncovered((item.at, item.at.saturating_add(item.duration)), covered)
        {
            if (to - from) as f64 >= GAP * item.duration as f64 {
                list.push((
                    from,
                    Step::Gap {
                        parent,
                        from,
                        to,
                        level,
                    },
                ));
            }
        }
        list.sort_by_key(|(at, _)| *at);
    }
    steps.extend(list.into_iter().rev().map(|(_, step)| step));
}

/// Repeats of one call: the same kind and name, and the same statement where there is one.
fn same(a: &Item, b: &Item) -> bool {
    !a.is_transaction
        && !b.is_transaction
        && a.name == b.name
        && a.kind == b.kind
        && a.subtype == b.subtype
        && a.fingerprint == b.fingerprint
        && a.outcome == b.outcome
}
