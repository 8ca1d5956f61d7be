//! The items of one trace as a tree on one timeline, with the clocks of its services brought together.
//!
//! Formulas: reference/ui.md 4.8. Input is untrusted: ids may repeat, parents may be missing or form circles, times may be
//! anything. Every item gets exactly one place, and nothing here recurses, so that 10,000 nested spans are fine.

use std::collections::HashMap;

/// As much of a transaction or span as its place depends on. Times in µs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) id: String,
    pub(crate) parent: Option<String>,
    pub(crate) transaction: bool,
    pub(crate) start: i64,
    pub(crate) duration: i64,
    /// `child.id`: items that this one adopts, whatever parent they name (inferred spans).
    pub(crate) adopts: Vec<String>,
}

/// The place of one item. Indexes are those of the items.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) parent: Option<usize>,
    /// By their start on the common timeline.
    pub(crate) children: Vec<usize>,
    pub(crate) depth: usize,
    /// Start on the common timeline, relative to the entry's.
    pub(crate) at: i64,
    pub(crate) duration: i64,
    /// What was added to the item's own clock.
    pub(crate) skew: i64,
    /// The item names a parent that did not arrive.
    pub(crate) orphan: bool,
}

impl Node {
    pub(crate) fn end(&self) -> i64 {
        self.at.saturating_add(self.duration)
    }
}

/// A whole trace, arranged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    /// Items without a parent: the entry first, orphans last.
    pub(crate) roots: Vec<usize>,
    /// Every item, parents before their children, siblings by start.
    pub(crate) order: Vec<usize>,
    /// The earliest start and the latest end of any item; 0 is the entry's start.
    pub(crate) from: i64,
    pub(crate) to: i64,
}

impl Tree {
    pub(crate) fn new(items: &[Item]) -> Self {
        let mut nodes: Vec<Node> = items
            .iter()
            .map(|item| Node {
                duration: item.duration.max(0),
                ..Node::default()
            })
            .collect();
        link(items, &mut nodes);
        let roots = roots(items, &mut nodes);
        let mut tree = Self {
            nodes,
            roots,
            ..Self::default()
        };
        tree.place(items);
        tree
    }

    /// Length of the trace.
    pub(crate) fn duration(&self) -> i64 {
        self.to.saturating_sub(self.from)
    }

    pub(crate) fn orphans(&self) -> impl Iterator<Item = usize> + '_ {
        self.roots
            .iter()
            .copied()
            .filter(|root| self.nodes[*root].orphan)
    }

    /// Depth, clock correction and start of every item, parents first.
    fn place(&mut self, items: &[Item]) {
        let Some(entry) = self.roots.first().copied() else {
            return;
        };
        let origin = items[entry].start;
        let mut stack: Vec<usize> = self.roots.iter().rev().copied().collect();
        while let Some(index) = stack.pop() {
            let item = &items[index];
            let (depth, skew) = match self.nodes[index].parent {
                None => (0, 0),
                Some(parent) => {
                    let above = &self.nodes[parent];
                    let parent_start = items[parent].start.saturating_add(above.skew);
                    let skew = if item.transaction {
                        skew(parent_start, above.duration, item)
                    } else {
                        above.skew
                    };
                    (above.depth + 1, skew)
                }
            };
            let node = &mut self.nodes[index];
            node.depth = depth;
            node.skew = skew;
            node.at = item.start.saturating_sub(origin).saturating_add(skew);
            self.from = self.from.min(node.at);
            self.to = self.to.max(node.end());
            self.order.push(index);
            // Siblings share a parent, but not always a clock: corrected below, sorted by what was sent first.
            let mut children = std::mem::take(&mut self.nodes[index].children);
            children.sort_unstable_by_key(|child| (items[*child].start, *child));
            stack.extend(children.iter().rev());
            self.nodes[index].children = children;
        }
    }
}

/// What a transaction's clock is behind its caller's: 0 unless it seems to start before it was called.
fn skew(parent_start: i64, parent_duration: i64, item: &Item) -> i64 {
    let behind = parent_start.saturating_sub(item.start);
    if behind <= 0 {
        return 0;
    }
    // The time on the wire is unknown, so the callee is put into the middle of the call.
    behind.saturating_add(parent_duration.saturating_sub(item.duration).max(0) / 2)
}

fn link(items: &[Item], nodes: &mut [Node]) {
    let mut by_id: HashMap<&str, usize> = HashMap::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        by_id.entry(&item.id).or_insert(index);
    }
    for (index, item) in items.iter().enumerate() {
        match item.parent.as_deref().map(|parent| by_id.get(parent)) {
            Some(Some(parent)) if *parent != index => nodes[index].parent = Some(*parent),
            Some(_) => nodes[index].orphan = true,
            None => {}
        }
    }
    for (index, item) in items.iter().enumerate() {
        for adopted in item.adopts.iter().filter_map(|id| by_id.get(id.as_str())) {
            if *adopted != index {
                nodes[*adopted].parent = Some(index);
                nodes[*adopted].orphan = false;
            }
        }
    }
}

/// Fills `children` and returns the roots. An item that only a circle holds becomes an orphan.
fn roots(items: &[Item], nodes: &mut [Node]) -> Vec<usize> {
    for index in 0..nodes.len() {
        if let Some(parent) = nodes[index].parent {
            nodes[parent].children.push(index);
        }
    }
    let mut roots: Vec<usize> = (0..nodes.len())
        .filter(|index| nodes[*index].parent.is_none())
        .collect();
    let mut seen = vec![false; nodes.len()];
    let mark = |from: usize, nodes: &[Node], seen: &mut [bool]| {
        let mut stack = vec![from];
        while let Some(index) = stack.pop() {
            if !std::mem::replace(&mut seen[index], true) {
                stack.extend(&nodes[index].children);
            }
        }
    };
    for root in &roots {
        mark(*root, nodes, &mut seen);
    }
    for index in 0..nodes.len() {
        if !seen[index] {
            if let Some(parent) = nodes[index].parent.take() {
                nodes[parent].children.retain(|child| *child != index);
            }
            nodes[index].orphan = true;
            roots.push(index);
            mark(index, nodes, &mut seen);
        }
    }
    roots.sort_by_key(|root| {
        (
            nodes[*root].orphan,
            !items[*root].transaction,
            items[*root].start,
            *root,
        )
    });
    roots
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(id: &str, parent: &str, start: i64, duration: i64) -> Item {
        let parent = (!parent.is_empty()).then(|| parent.to_owned());
        Item {
            id: id.to_owned(),
            parent,
            start,
            duration,
            ..Item::default()
        }
    }

    fn transaction(id: &str, parent: &str, start: i64, duration: i64) -> Item {
        Item {
            transaction: true,
            ..item(id, parent, start, duration)
        }
    }

    fn arranged(items: &[Item]) -> Vec<(String, usize, i64)> {
        let tree = Tree::new(items);
        assert_eq!(tree.order.len(), items.len(), "every item has one place");
        tree.order
            .iter()
            .map(|i| {
                (
                    items[*i].id.clone(),
                    tree.nodes[*i].depth,
                    tree.nodes[*i].at,
                )
            })
            .collect()
    }

    fn row(id: &str, depth: usize, at: i64) -> (String, usize, i64) {
        (id.to_owned(), depth, at)
    }

    #[test]
    fn children_stand_below_their_parents_by_start() {
        let items = [
            item("c", "a", 1_050, 20),
            transaction("a", "", 1_000, 100),
            item("b", "a", 1_010, 20),
            item("d", "b", 1_011, 2),
        ];
        assert_eq!(
            arranged(&items),
            [
                row("a", 0, 0),
                row("b", 1, 10),
                row("d", 2, 11),
                row("c", 1, 50)
            ]
        );
        let tree = Tree::new(&items);
        assert_eq!((tree.from, tree.to), (0, 100));
    }

    #[test]
    fn a_transaction_before_its_caller_is_moved_into_the_middle_of_the_call() {
        let items = [
            transaction("a", "", 1_000, 100),
            item("call", "a", 1_020, 60),
            transaction("b", "call", 900, 40),
            item("sql", "b", 910, 10),
        ];
        // 1,020 − 900 behind, and (60 − 40) / 2 for the way there; its spans move with it.
        assert_eq!(arranged(&items)[2..], [row("b", 2, 30), row("sql", 3, 40)]);
        assert_eq!(Tree::new(&items).nodes[2].skew, 130);
    }

    #[test]
    fn a_transaction_that_outlasts_its_caller_is_only_moved_to_its_start() {
        let items = [
            transaction("a", "", 1_000, 100),
            item("call", "a", 1_020, 10),
            transaction("b", "call", 900, 40),
        ];
        assert_eq!(Tree::new(&items).nodes[2].at, 20);
    }

    #[test]
    fn a_transaction_after_its_callers_start_is_not_moved() {
        let items = [
            transaction("a", "", 1_000, 100),
            transaction("b", "a", 1_030, 400),
        ];
        let tree = Tree::new(&items);
        assert_eq!(
            (tree.nodes[1].at, tree.nodes[1].skew, tree.to),
            (30, 0, 430)
        );
    }

    #[test]
    fn orphans_come_last_and_are_marked() {
        let items = [
            item("lost", "gone", 500, 10),
            transaction("a", "", 1_000, 100),
            item("self", "self", 1_001, 1),
        ];
        let tree = Tree::new(&items);
        assert_eq!(tree.roots[0], 1);
        assert_eq!(tree.orphans().collect::<Vec<_>>(), [0, 2]);
        assert_eq!((tree.from, tree.to), (-500, 100));
    }

    #[test]
    fn circles_are_cut_and_lose_nothing() {
        let items = [
            item("a", "c", 3, 1),
            item("b", "a", 2, 1),
            item("c", "b", 1, 1),
            transaction("t", "", 0, 9),
        ];
        assert_eq!(
            arranged(&items),
            [
                row("t", 0, 0),
                row("a", 0, 3),
                row("b", 1, 2),
                row("c", 2, 1)
            ]
        );
    }

    #[test]
    fn repeated_ids_keep_both_items() {
        let items = [
            transaction("a", "", 0, 9),
            item("b", "a", 1, 1),
            item("b", "a", 2, 1),
            item("c", "b", 3, 1),
        ];
        assert_eq!(
            arranged(&items),
            [
                row("a", 0, 0),
                row("b", 1, 1),
                row("c", 2, 3),
                row("b", 1, 2)
            ]
        );
    }

    #[test]
    fn adopted_items_leave_the_parent_they_name() {
        let mut inferred = item("inferred", "a", 10, 50);
        inferred.adopts = vec!["sql".to_owned()];
        let items = [
            transaction("a", "", 0, 100),
            inferred,
            item("sql", "a", 20, 5),
        ];
        assert_eq!(
            arranged(&items),
            [row("a", 0, 0), row("inferred", 1, 10), row("sql", 2, 20)]
        );
    }

    #[test]
    fn ten_thousand_nested_spans_and_absurd_times_are_fine() {
        let mut items = vec![transaction("0", "", 0, 1)];
        items.extend((1..10_000).map(|i| item(&i.to_string(), &(i - 1).to_string(), 0, 1)));
        assert_eq!(Tree::new(&items).nodes[9_999].depth, 9_999);
        let tree = Tree::new(&[
            transaction("a", "", i64::MIN, i64::MAX),
            transaction("b", "a", i64::MAX, i64::MAX),
            item("c", "b", 0, -5),
        ]);
        assert_eq!(tree.nodes[2].duration, 0);
        assert_eq!(Tree::new(&[]), Tree::default());
    }
}
