//! The critical path: which item the trace was waiting for, at every moment of its entry.
//!
//! There is no tolerance: whole SQLite requests are shorter than a millisecond, and without one the segments add up to
//! the entry's duration exactly. But a service that answered a call is waited for until the call ends, also where its
//! own clock says that it ended later: it crosses the border of two clocks, and its last work may follow the answer.

use super::item::Stretch;
use super::tree::Tree;

/// The critical path of the item `root`, by time: stretches of the timeline that an item itself is waited for.
pub(crate) fn path(tree: &Tree, root: u32) -> Vec<Stretch> {
    let mut segments = Vec::new();
    let start = &tree.nodes[root as usize];
    let mut walks = vec![(root, start.at, start.end())];
    let mut children: Vec<u32> = Vec::new();
    while let Some((item, from, to)) = walks.pop() {
        let below = tree.children.below(item as usize).iter().copied();
        children.clear();
        children.extend(below.filter(|child| !tree.nodes[*child as usize].far));
        let end = |child: u32| {
            let node = &tree.nodes[child as usize];
            match node.awaited {
                true => node.end().min(to),
                false => node.end(),
            }
        };
        // Of two that end together the later sibling leads, so that the path is the same at every reading.
        children.sort_unstable_by_key(|child| std::cmp::Reverse((end(*child), *child)));
        let mut scan = to;
        for child in children.drain(..) {
            let (at, end) = (tree.nodes[child as usize].at, end(child));
            // An item that ends later ran in parallel: nobody waited for it.
            if at >= scan || end <= from || end > scan {
                continue;
            }
            if end < scan {
                segments.push(Stretch {
                    item,
                    from: end,
                    to: scan,
                });
            }
            // A child may begin before its parent: only the time within it was waited for.
            let start = at.max(from);
            walks.push((child, start, end));
            scan = start;
        }
        if scan > from {
            segments.push(Stretch {
                item,
                from,
                to: scan,
            });
        }
    }
    segments.sort_by_key(|segment| (segment.from, segment.to));
    segments
}

#[cfg(test)]
mod tests;
