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
mod tests {
    use super::*;

    const NOW: i64 = 1_790_000_000_000_000;

    fn span(id: u64, parent: u64, start: i64, duration: i64) -> Item {
        Item {
            id,
            parent: (parent > 0).then_some(parent),
            start,
            duration,
            ..Item::default()
        }
    }

    fn transaction(id: u64, parent: u64, start: i64, duration: i64) -> Item {
        Item {
            transaction: true,
            ..span(id, parent, start, duration)
        }
    }

    fn odd(item: Item) -> Item {
        Item { odd: true, ..item }
    }

    /// Whether each is far, and where it starts.
    fn settled(items: &[Item]) -> (Vec<(bool, i64)>, (i64, i64)) {
        let tree = Tree::new(items, &[]);
        let of = tree.nodes.iter().map(|node| {
            let at = if node.far { 0 } else { node.at };
            (node.far, at)
        });
        (of.collect(), (tree.from, tree.to))
    }

    #[test]
    fn a_span_of_another_time_does_not_stretch_its_trace() {
        for wrong in [0, 1_790_000_000_000, i64::MAX, -5, NOW + 3 * APART] {
            let items = [
                transaction(1, 0, NOW, 20_000),
                span(2, 1, NOW + 1_000, 5_000),
                odd(span(3, 1, wrong, 5_000)),
            ];
            let (places, ends) = settled(&items);
            assert_eq!(places, [(false, 0), (false, 1_000), (true, 0)], "{wrong}");
            assert_eq!(ends, (0, 20_000));
        }
    }

    #[test]
    fn the_entry_takes_the_start_of_its_spans_where_its_own_clock_is_wrong() {
        let items = [
            odd(transaction(1, 0, 0, 20_000)),
            span(2, 1, NOW, 5_000),
            span(3, 1, NOW + 6_000, 5_000),
        ];
        let (places, ends) = settled(&items);
        assert_eq!(places, [(false, 0), (false, 0), (false, 6_000)]);
        assert_eq!(ends, (0, 20_000));
    }

    #[test]
    fn a_trace_whose_only_clock_is_wrong_keeps_its_shape() {
        let items = [
            odd(transaction(1, 0, 5_000_000, 20_000)),
            odd(span(2, 1, 5_001_000, 5_000)),
        ];
        let (places, ends) = settled(&items);
        assert_eq!(places, [(false, 0), (false, 1_000)]);
        assert_eq!(ends, (0, 20_000));
    }

    #[test]
    fn a_callee_with_a_wrong_clock_is_put_into_its_call_with_all_its_spans() {
        for wrong in [
            0,
            NOW - 3_600_000_000,
            i64::MAX / 2,
            NOW + 3 * 3_600_000_000,
        ] {
            let call = Item {
                waits: true,
                ..span(2, 1, NOW + 1_000, 10_000)
            };
            let is_odd = wrong == 0 || wrong == i64::MAX / 2;
            let clock = |item: Item| if is_odd { odd(item) } else { item };
            let items = [
                transaction(1, 0, NOW, 20_000),
                call,
                clock(transaction(3, 2, wrong, 4_000)),
                clock(span(4, 3, wrong + 100, 1_000)),
            ];
            let (places, ends) = settled(&items);
            assert_eq!(places[2..], [(false, 4_000), (false, 4_100)], "{wrong}");
            assert_eq!(ends, (0, 20_000));
        }
    }

    #[test]
    fn what_was_queued_for_hours_is_drawn_and_what_came_days_later_is_apart() {
        let queued = |later: i64| {
            settled(&[
                transaction(1, 0, NOW, 20_000),
                transaction(2, 1, NOW + later, 5_000),
            ])
        };
        assert_eq!(queued(7 * 3_600_000_000).1, (0, 7 * 3_600_000_000 + 5_000));
        let (places, ends) = queued(3 * APART);
        assert_eq!((places[1].0, ends), (true, (0, 20_000)));
    }

    #[test]
    fn nothing_overflows_at_the_ends_of_time() {
        let items = [
            odd(transaction(1, 0, i64::MIN, i64::MAX)),
            odd(transaction(2, 1, i64::MAX, i64::MAX)),
            odd(span(3, 2, 0, -5)),
        ];
        let (places, _) = settled(&items);
        assert_eq!(places.len(), 3);
    }
}
