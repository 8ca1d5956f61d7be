//! The items of one trace as a tree on one timeline, with the clocks of its services brought together.
//!
//! Input is untrusted: ids may repeat, parents may be missing or form circles, times may be anything. Every item gets
//! exactly one place, and nothing here recurses, so that hundreds of thousands of nested spans are fine.

mod clock;
mod lost;

use std::collections::HashMap;

/// Indexes by the hash of an id.
type ByHash = HashMap<u64, u32, foldhash::fast::RandomState>;

/// As much of a transaction or span as its place depends on. Ids are their hashes; times in µs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) id: u64,
    pub(crate) parent: Option<u64>,
    /// The transaction that a span says it belongs to.
    pub(crate) owner: Option<u64>,
    pub(crate) transaction: bool,
    /// The hash of its service's name.
    pub(crate) service: u64,
    /// Whether it waits for what it calls: a callee begins before it ends.
    pub(crate) waits: bool,
    /// By its own clock, even where that cannot be.
    pub(crate) start: i64,
    pub(crate) duration: i64,
    /// Whether its own clock is known to be wrong.
    pub(crate) odd: bool,
}

/// An item that adopts others, whatever parent they name (inferred spans): its index, and the hash of an adopted id.
pub(crate) type Adoption = (u32, u64);

/// The place of one item. Indexes are those of the items.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) parent: Option<u32>,
    /// The transaction that a span says it belongs to, where that arrived. A span that says nothing belongs to the one
    /// that it lies below, as spans of OpenTelemetry do.
    pub(crate) owner: Option<u32>,
    pub(crate) depth: u32,
    /// Start on the common timeline, relative to the entry's.
    pub(crate) at: i64,
    pub(crate) duration: i64,
    /// The correction of the item's own clock.
    pub(crate) skew: i64,
    /// The item names a parent that did not arrive.
    pub(crate) orphan: bool,
    /// The item answers a call that waits for it.
    pub(crate) awaited: bool,
    /// It is too far from the rest in time to be drawn with it.
    pub(crate) far: bool,
}

impl Node {
    pub(crate) fn end(&self) -> i64 {
        self.at.saturating_add(self.duration)
    }
}

/// Lists of indexes by index, in one piece of memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Children {
    starts: Vec<u32>,
    list: Vec<u32>,
}

impl Children {
    /// The children of each of `len` items, in the order of their indexes.
    pub(crate) fn by_parent(len: usize, parent: impl Fn(usize) -> Option<u32>) -> Self {
        let mut starts = vec![0u32; len + 1];
        for parent in (0..len).filter_map(&parent) {
            // Counted one place further on, so that the sums below are where each list starts.
            starts[parent as usize + 1] += 1;
        }
        for i in 0..len {
            starts[i + 1] += starts[i];
        }
        // The next free place of the list of each parent.
        let mut next = starts.clone();
        let mut list = vec![0u32; starts[len] as usize];
        for index in 0..len {
            if let Some(parent) = parent(index) {
                let place = &mut next[parent as usize];
                list[*place as usize] = index as u32;
                *place += 1;
            }
        }
        Self { starts, list }
    }

    pub(crate) fn below(&self, index: usize) -> &[u32] {
        match (self.starts.get(index), self.starts.get(index + 1)) {
            (Some(from), Some(to)) => &self.list[*from as usize..*to as usize],
            _ => &[],
        }
    }

    fn below_mut(&mut self, index: usize) -> &mut [u32] {
        &mut self.list[self.starts[index] as usize..self.starts[index + 1] as usize]
    }
}

/// A whole trace, arranged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    /// By what was sent as their start.
    pub(crate) children: Children,
    /// Items without a parent: the entry first, orphans last.
    pub(crate) roots: Vec<u32>,
    /// Every item, parents before their children, siblings by start.
    pub(crate) order: Vec<u32>,
    /// The earliest start and the latest end of what is drawn; 0 is the entry's start.
    pub(crate) from: i64,
    pub(crate) to: i64,
}

impl Tree {
    pub(crate) fn new(items: &[Item], adoptions: &[Adoption]) -> Self {
        let mut nodes: Vec<Node> = items
            .iter()
            .map(|item| Node {
                duration: item.duration.max(0),
                ..Node::default()
            })
            .collect();
        link(items, adoptions, &mut nodes);
        cut_circles(&mut nodes);
        let mut children = Children::by_parent(nodes.len(), |index| nodes[index].parent);
        // Siblings share a parent, but not always a clock: corrected below, sorted by what was sent first.
        for index in 0..nodes.len() {
            children
                .below_mut(index)
                .sort_unstable_by_key(|child| (items[*child as usize].start, *child));
        }
        let mut tree = Self {
            roots: roots(items, &nodes),
            nodes,
            children,
            ..Self::default()
        };
        tree.place(items);
        clock::settle(&mut tree, items);
        tree
    }

    /// Length of what is drawn.
    pub(crate) fn duration(&self) -> i64 {
        self.to.saturating_sub(self.from)
    }

    /// Depth, clock correction and start of every item, parents first.
    fn place(&mut self, items: &[Item]) {
        let Some(entry) = self.roots.first().copied() else {
            return;
        };
        let origin = items[entry as usize].start;
        // Reversed, as the last one is taken first: the entry, then siblings in their order.
        let mut stack: Vec<u32> = self.roots.iter().rev().copied().collect();
        while let Some(index) = stack.pop() {
            let at = index as usize;
            let item = &items[at];
            let above = self.nodes[at].parent.map(|parent| &items[parent as usize]);
            let calls = above.is_some_and(|above| above.waits && !above.transaction);
            let (depth, skew, owner) = match self.nodes[at].parent {
                None => (0, 0, None),
                Some(parent) => {
                    let above = &self.nodes[parent as usize];
                    let owner = match items[parent as usize].transaction {
                        true => Some(parent),
                        false => above.owner,
                    };
                    // A span has the clock of what it lies in: only a transaction may come from another host.
                    let skew = if item.transaction {
                        clock::skew(item, &items[parent as usize], above.skew)
                    } else {
                        above.skew
                    };
                    (above.depth + 1, skew, owner)
                }
            };
            let node = &mut self.nodes[at];
            if item.owner.is_none() && !item.transaction {
                node.owner = owner;
            }
            node.awaited = item.transaction && calls;
            node.depth = depth;
            node.skew = skew;
            node.at = item.start.saturating_sub(origin).saturating_add(skew);
            self.order.push(index);
            stack.extend(self.children.below(at).iter().rev());
        }
    }
}

fn link(items: &[Item], adoptions: &[Adoption], nodes: &mut [Node]) {
    let mut by_id = ByHash::with_capacity_and_hasher(items.len(), Default::default());
    for (index, item) in (0u32..).zip(items) {
        // Of several items with one id the first has it.
        by_id.entry(item.id).or_insert(index);
    }
    for (index, item) in (0u32..).zip(items) {
        let node = &mut nodes[index as usize];
        let owner = item.owner.and_then(|owner| by_id.get(&owner)).copied();
        node.owner = owner.filter(|owner| items[*owner as usize].transaction && *owner != index);
        match item.parent.map(|parent| by_id.get(&parent)) {
            // An item that names itself is an orphan, too.
            Some(Some(parent)) if *parent != index => node.parent = Some(*parent),
            Some(_) => {
                node.orphan = true;
                // Its parent did not arrive, but the transaction did that the span belongs to.
                node.parent = node.owner;
            }
            None => {}
        }
    }
    lost::place(items, nodes);
    for (adopter, id) in adoptions {
        if let Some(adopted) = by_id.get(id).filter(|adopted| *adopted != adopter) {
            let node = &mut nodes[*adopted as usize];
            // This may close a circle, which is cut afterwards.
            node.parent = Some(*adopter);
            node.orphan = false;
        }
    }
}

/// Makes an orphan of one item of each circle.
fn cut_circles(nodes: &mut [Node]) {
    const NEW: u8 = 0;
    const ON_THE_WAY: u8 = 1;
    const FINE: u8 = 2;
    let mut state = vec![NEW; nodes.len()];
    let mut way: Vec<u32> = Vec::new();
    for start in 0..nodes.len() {
        let mut at = Some(start as u32);
        while let Some(index) = at {
            match state[index as usize] {
                NEW => {
                    state[index as usize] = ON_THE_WAY;
                    way.push(index);
                    at = nodes[index as usize].parent;
                }
                ON_THE_WAY => {
                    nodes[index as usize].parent = None;
                    nodes[index as usize].orphan = true;
                    at = None;
                }
                _ => at = None,
            }
        }
        // Only after the walk, so that what is on the way is on this one.
        for index in way.drain(..) {
            state[index as usize] = FINE;
        }
    }
}

fn roots(items: &[Item], nodes: &[Node]) -> Vec<u32> {
    let is_root = |index: &u32| nodes[*index as usize].parent.is_none();
    let mut roots: Vec<u32> = (0..nodes.len() as u32).filter(is_root).collect();
    roots.sort_by_key(|root| {
        let at = *root as usize;
        (
            nodes[at].orphan,
            !items[at].transaction,
            items[at].start,
            *root,
        )
    });
    roots
}

#[cfg(test)]
mod tests;
