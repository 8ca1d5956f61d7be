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
