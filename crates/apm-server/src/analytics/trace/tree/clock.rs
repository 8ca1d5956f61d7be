//! Clocks that are wrong: what can be corrected, and what is set apart because it cannot.

use super::{Item, Tree};

/// A callee that begins so long after the end of a call that waited for it, µs, has another clock.
const LATE: i64 = 60_000_000;
/// Silence after which the rest of a trace is apart from what came before, µs: a day. Work that is queued for hours is
/// drawn with what queued it.
const APART: i64 = 24 * 3_600_000_000;

/// The correction of a transaction's clock. `above`: that of its parent's.
///
/// It is 0 unless the transaction seems to start before it was called, or long after the call that waited for it had
/// ended, or is known to have a wrong clock. The time on the wire is unknown, so the callee is put into the middle of
/// the call.
pub(super) fn skew(item: &Item, parent: &Item, above: i64) -> i64 {
    let parent_start = parent.start.saturating_add(above);
    let middle = parent
        .duration
        .max(0)
        .saturating_sub(item.duration.max(0))
        .max(0)
        / 2;
    let behind = parent_start.saturating_sub(item.start);
    let late = item
        .start
        .saturating_sub(parent_start.saturating_add(parent.duration.max(0)));
    let is_another = item.odd && !parent.odd;
    if behind > 0 || is_another || (parent.waits && late > LATE) {
        // Negative where the callee seems late, which moves it back.
        behind.saturating_add(middle)
    } else {
        0
    }
}

/// Sets apart what is too far from the rest in time, and finds where the rest begins and ends.
///
/// The rest is what lies around the entry, or around most items where the entry's own clock is known to be wrong. An
/// item that is too far, but has items below it that are not, takes the start of these: it is the head of what is
/// drawn.
pub(super) fn settle(tree: &mut Tree, items: &[Item]) {
    let Some(entry) = tree.roots.first().map(|entry| *entry as usize) else {
        return;
    };
    if let Some((from, to)) = rest(tree, items, entry) {
        for node in &mut tree.nodes {
            node.far = node.at < from || node.at > to;
        }
        take_over(tree);
    }
    let origin = match &tree.nodes[entry] {
        entry if !entry.far => entry.at,
        _ => {
            let drawn = tree.nodes.iter().filter(|node| !node.far);
            drawn.map(|node| node.at).min().unwrap_or_default()
        }
    };
    for node in &mut tree.nodes {
        node.at = node.at.saturating_sub(origin);
        if !node.far {
            tree.from = tree.from.min(node.at);
            tree.to = tree.to.max(node.at.saturating_add(node.duration));
        }
    }
}

/// The first and the last start of those that are drawn, where others are not.
fn rest(tree: &Tree, items: &[Item], entry: usize) -> Option<(i64, i64)> {
    let starts = tree.nodes.iter().map(|node| node.at);
    let (first, last) = starts.fold((i64::MAX, i64::MIN), |(first, last), at| {
        (first.min(at), last.max(at))
    });
    if last.saturating_sub(first) <= APART {
        return None;
    }
    let mut order: Vec<u32> = (0..tree.nodes.len() as u32).collect();
    order.sort_unstable_by_key(|index| tree.nodes[*index as usize].at);
    // Each: first and last start, latest end, items, whether the entry is one of them.
    let mut parts: Vec<(i64, i64, i64, usize, bool)> = Vec::new();
    for index in order {
        let node = &tree.nodes[index as usize];
        let is_entry = index as usize == entry;
        match parts.last_mut() {
            // From the latest end, not from the last start: work that takes days holds a part together.
            Some(part) if node.at.saturating_sub(part.2) <= APART => {
                part.1 = node.at;
                part.2 = part.2.max(node.end());
                part.3 += 1;
                part.4 |= is_entry;
            }
            _ => parts.push((node.at, node.at, node.end(), 1, is_entry)),
        }
    }
    if parts.len() < 2 {
        return None;
    }
    let chosen = match items[entry].odd {
        false => parts.iter().find(|part| part.4),
        true => parts.iter().max_by_key(|part| (part.3, part.4)),
    };
    chosen.map(|part| (part.0, part.1))
}

/// Lets items that are too far take the start of the earliest item below them that is not.
fn take_over(tree: &mut Tree) {
    let mut earliest = vec![i64::MAX; tree.nodes.len()];
    // Children before their parents: a start that was taken over counts further up.
    for index in tree.order.iter().rev() {
        let at = *index as usize;
        let below = earliest[at];
        let node = &mut tree.nodes[at];
        if node.far && below < i64::MAX {
            node.skew = node.skew.saturating_add(below.saturating_sub(node.at));
            node.at = below;
            node.far = false;
        }
        if !node.far
            && let Some(parent) = node.parent
        {
            earliest[parent as usize] = earliest[parent as usize].min(node.at);
        }
    }
}

#[cfg(test)]
mod tests;
