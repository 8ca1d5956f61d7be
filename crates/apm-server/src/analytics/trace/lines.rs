//! The lines that a reader sees of a trace, in their order: its items, repeats folded into one line, time that no span
//! covers, and what is listed apart.

use super::cover;
use super::item::Item;
use super::tree::Children;

/// Alike leaves in a row from which they are folded.
const REPEATED: usize = 3;
/// Up to so many folded lines are shown open.
pub const SHORT: u32 = 10;
/// Share of its parent from which uncovered time gets a line.
const GAP: f64 = 0.10;

/// The kind of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An item, by its index.
    Item(u32),
    /// Items that follow each other and are alike.
    Fold {
        /// Index of the first.
        first: u32,
        /// Number of items.
        len: u32,
    },
    /// Time that no span covers: an index in [`Lines::gaps`].
    Gap(u32),
    /// The head of the items whose parent did not arrive, and of which no transaction is known.
    Orphans,
    /// The head of the items that are too far in time to be drawn with the rest.
    Far,
}

/// One line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Its kind.
    pub kind: Kind,
    /// Its depth, from 1.
    pub level: u32,
    /// The line after the last of those below it.
    pub end: u32,
}

/// Time within an item that none of its children covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Index of the item.
    pub parent: u32,
    /// µs from the start of the entry.
    pub from: i64,
    /// µs from the start of the entry.
    pub to: i64,
}

/// All lines of a trace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    /// By their order.
    pub list: Vec<Line>,
    /// Those that [`Kind::Gap`] points to.
    pub gaps: Vec<Gap>,
    /// The line of each item.
    pub of_item: Vec<u32>,
}

impl Lines {
    /// Memory that they hold, bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.list) + size_of_val(&*self.gaps) + size_of_val(&*self.of_item)
    }

    /// Whether a line has others below it.
    #[must_use]
    pub fn has_below(&self, at: usize) -> bool {
        self.list[at].end as usize > at + 1
    }

    /// Whether what is below a line is seen, unless the reader asked otherwise.
    #[must_use]
    pub fn opens(&self, at: usize) -> bool {
        !matches!(self.list[at].kind, Kind::Fold { len, .. } if len > SHORT)
    }

    /// The lines of a trace.
    #[must_use]
    pub(super) fn from_items(items: &[Item]) -> Self {
        let apart = |index: usize| items[index].is_far;
        // An item that is too far is never below one that is not.
        let parent = |index: usize| {
            let parent = items[index].parent?;
            (apart(index) == apart(parent as usize)).then_some(parent)
        };
        let mut making = Making {
            items,
            children: Children::by_parent(items.len(), parent),
            lines: Self::default(),
            steps: Vec::new(),
            level: 1,
        };
        let roots = (0..items.len()).filter(|index| parent(*index).is_none());
        let (far, near): (Vec<usize>, Vec<usize>) = roots.partition(|index| apart(*index));
        // The entry leads the trace even where its own parent did not arrive.
        let lost = |index: &usize| items[*index].is_orphan && *index != 0;
        let (orphans, whole): (Vec<usize>, Vec<usize>) = near.into_iter().partition(lost);
        making.all(&whole, 1);
        making.group(Kind::Orphans, &orphans);
        making.group(Kind::Far, &far);
        making.lines.close();
        making.lines.list.shrink_to_fit();
        making.lines.of_item = vec![0; items.len()];
        for (at, line) in (0u32..).zip(&making.lines.list) {
            if let Kind::Item(index) = line.kind {
                making.lines.of_item[index as usize] = at;
            }
        }
        making.lines
    }

    /// Sets where those below each line end.
    fn close(&mut self) {
        let mut open: Vec<usize> = Vec::new();
        for at in 0..self.list.len() {
            let level = self.list[at].level;
            while let Some(last) = open.pop_if(|last| self.list[*last].level >= level) {
                self.list[last].end = at as u32;
            }
            open.push(at);
        }
        for last in open {
            self.list[last].end = self.list.len() as u32;
        }
    }
}

/// A line to come, with its level. Those that come first are at the end.
type Step = (Kind, u32);

struct Making<'t> {
    items: &'t [Item],
    children: Children,
    lines: Lines,
    steps: Vec<Step>,
    level: u32,
}

impl Making<'_> {
    fn group(&mut self, kind: Kind, roots: &[usize]) {
        if !roots.is_empty() {
            self.push(kind, 1);
            self.all(roots, 2);
        }
    }

    fn push(&mut self, kind: Kind, level: u32) {
        self.lines.list.push(Line {
            kind,
            level,
            end: 0,
        });
    }

    /// The lines of some items and of all that is below them.
    fn all(&mut self, roots: &[usize], level: u32) {
        let roots = roots.iter().rev();
        self.steps
            .extend(roots.map(|index| (Kind::Item(*index as u32), level)));
        while let Some((kind, level)) = self.steps.pop() {
            self.push(kind, level);
            self.level = level + 1;
            match kind {
                Kind::Item(index) => self.below(index),
                Kind::Fold { first, len } => {
                    let all = (first..first + len).rev();
                    self.steps
                        .extend(all.map(|index| (Kind::Item(index), level + 1)));
                }
                Kind::Gap(_) | Kind::Orphans | Kind::Far => {}
            }
        }
    }

    /// Children, runs of alike ones and gaps of one parent, in order of time; pushed backwards, as the stack wants
    /// them.
    fn below(&mut self, parent: u32) {
        let below = self.children.below(parent as usize);
        if below.is_empty() {
            return;
        }
        let mut list: Vec<(i64, Kind)> = Vec::with_capacity(below.len());
        let leaf = |index: u32| self.children.below(index as usize).is_empty();
        let mut at = 0;
        while at < below.len() {
            let first = below[at];
            let item = &self.items[first as usize];
            // Leaves that follow each other among siblings do so in the list of items.
            let alike = |(next, index): (u32, &u32)| {
                next == *index && leaf(*index) && same(item, &self.items[*index as usize])
            };
            let run = match leaf(first) {
                true => (first..)
                    .zip(&below[at..])
                    .take_while(|pair| alike(*pair))
                    .count(),
                false => 1,
            };
            if run >= REPEATED {
                let len = run as u32;
                list.push((item.at, Kind::Fold { first, len }));
            } else {
                let each = below[at..at + run.max(1)].iter();
                list.extend(each.map(|index| (self.items[*index as usize].at, Kind::Item(*index))));
            }
            at += run.max(1);
        }
        let item = &self.items[parent as usize];
        // The time between a call and its callee is the network's, which no span covers.
        let calls_out = !item.is_transaction
            && below
                .iter()
                .all(|child| self.items[*child as usize].is_transaction);
        if item.duration > 0 && !calls_out && !item.is_far {
            let covered = below.iter().map(|child| {
                let child = &self.items[*child as usize];
                (child.at, child.end())
            });
            for (from, to) in cover::uncovered((item.at, item.end()), covered) {
                if (to - from) as f64 >= GAP * item.duration as f64 {
                    list.push((from, Kind::Gap(self.lines.gaps.len() as u32)));
                    self.lines.gaps.push(Gap { parent, from, to });
                }
            }
            list.sort_by_key(|(at, _)| *at);
        }
        let level = self.level;
        let steps = list.into_iter().rev();
        self.steps.extend(steps.map(|(_, kind)| (kind, level)));
    }
}

/// Repeats of one call: the same kind and name, and the same statement where there is one.
fn same(a: &Item, b: &Item) -> bool {
    let (one, other) = (&a.what, &b.what);
    !a.is_transaction
        && !b.is_transaction
        && a.outcome == b.outcome
        && !a.is_orphan
        && !b.is_orphan
        && (one.number == other.number
            || (one.name == other.name
                && one.kind == other.kind
                && one.subtype == other.subtype
                && one.fingerprint == other.fingerprint))
}
