use proptest::prelude::*;

use super::super::tree::Item;
use super::*;

fn items(spans: &[(usize, i64, i64)]) -> Vec<Item> {
    let span = |(i, (parent, start, duration)): (usize, &(usize, i64, i64))| Item {
        id: i as u64 + 1,
        parent: Some(*parent as u64),
        start: *start,
        duration: *duration,
        ..Item::default()
    };
    let entry = Item {
        transaction: true,
        duration: 100,
        ..Item::default()
    };
    std::iter::once(entry)
        .chain(spans.iter().enumerate().map(span))
        .collect()
}

/// An item below the one before it.
fn item(id: u64, start: i64, duration: i64) -> Item {
    Item {
        id,
        parent: id.checked_sub(1),
        start,
        duration,
        ..Item::default()
    }
}

/// The path of the first item: (item, from, to).
fn segments(tree: &Tree) -> Vec<(u32, i64, i64)> {
    path(tree, 0)
        .into_iter()
        .map(|segment| (segment.item, segment.from, segment.to))
        .collect()
}

fn walked(spans: &[(usize, i64, i64)]) -> Vec<(u32, i64, i64)> {
    let tree = Tree::new(&items(spans), &[]);
    segments(&tree)
}

#[test]
fn an_item_alone_is_its_own_path() {
    assert_eq!(walked(&[]), [(0, 0, 100)]);
}

#[test]
fn children_in_turn_share_the_path_with_the_gaps_between() {
    assert_eq!(
        walked(&[(0, 10, 20), (0, 40, 50)]),
        [
            (0, 0, 10),
            (1, 10, 30),
            (0, 30, 40),
            (2, 40, 90),
            (0, 90, 100)
        ]
    );
}

#[test]
fn of_two_at_once_the_one_that_ends_last_counts() {
    assert_eq!(
        walked(&[(0, 10, 50), (0, 20, 60)]),
        [(0, 0, 20), (2, 20, 80), (0, 80, 100)]
    );
}

#[test]
fn a_child_that_outlives_its_parent_is_not_waited_for() {
    assert_eq!(walked(&[(0, 50, 500)]), [(0, 0, 100)]);
}

#[test]
fn the_path_descends() {
    assert_eq!(
        walked(&[(0, 10, 80), (1, 20, 30)]),
        [
            (0, 0, 10),
            (1, 10, 20),
            (2, 20, 50),
            (1, 50, 90),
            (0, 90, 100)
        ]
    );
}

/// A call, the request that answered it, and a query of that request.
fn across(waits: bool, overhang: i64) -> Vec<(u32, i64, i64)> {
    let items = [
        Item {
            transaction: true,
            ..item(0, 0, 100)
        },
        Item {
            waits,
            ..item(1, 10, 80)
        },
        Item {
            transaction: true,
            ..item(2, 20, 70 + overhang)
        },
        item(3, 30, 40),
    ];
    segments(&Tree::new(&items, &[]))
}

#[test]
fn a_service_that_ends_after_its_call_is_cut_to_the_call() {
    let own = [
        (0, 0, 10),
        (1, 10, 20),
        (2, 20, 30),
        (3, 30, 70),
        (2, 70, 90),
        (0, 90, 100),
    ];
    for overhang in [0, 1, 7, 500] {
        assert_eq!(across(true, overhang), own, "{overhang}");
    }
    // Nobody waits for who reads a message.
    assert_eq!(across(false, 7), [(0, 0, 10), (1, 10, 90), (0, 90, 100)]);
}

/// The same with the clock of the service behind the call `skew` behind or ahead.
fn with_clock(skew: i64) -> Vec<(u32, i64, i64)> {
    let items = [
        Item {
            transaction: true,
            ..item(0, 0, 1_000)
        },
        Item {
            waits: true,
            ..item(1, 100, 800)
        },
        Item {
            transaction: true,
            ..item(2, 200 + skew, 600)
        },
        item(3, 300 + skew, 400),
    ];
    segments(&Tree::new(&items, &[]))
}

#[test]
fn the_path_through_a_service_with_another_clock_is_that_of_a_right_clock() {
    let right = with_clock(0);
    assert_eq!(
        right,
        [
            (0, 0, 100),
            (1, 100, 200),
            (2, 200, 300),
            (3, 300, 700),
            (2, 700, 800),
            (1, 800, 900),
            (0, 900, 1_000)
        ]
    );
    // Behind so far that it seems to begin before its call, or ahead by more than a minute.
    for skew in [-101, -5_000, -3_600_000_000, 120_000_000, 3_600_000_000] {
        assert_eq!(with_clock(skew), right, "{skew}");
    }
    // A clock that is ahead by less cannot be told from a wait: the path stays within the call, in its order.
    for skew in [50, 200, 5_000] {
        let path = with_clock(skew);
        assert_eq!(path.first().map(|first| first.1), Some(0), "{skew}");
        assert_eq!(path.last().map(|last| last.2), Some(1_000), "{skew}");
        assert!(
            path.windows(2).all(|pair| pair[0].2 == pair[1].1),
            "{path:?}"
        );
    }
}

proptest! {
    #[test]
    fn segments_add_up_to_the_entry_and_never_overlap(
        spans in prop::collection::vec((0usize..12, -20i64..150, 0i64..120), 0..12)
    ) {
        let path = walked(&spans);
        prop_assert_eq!(path.iter().map(|(_, from, to)| to - from).sum::<i64>(), 100);
        prop_assert!(path.windows(2).all(|pair| pair[0].2 == pair[1].1), "{:?}", path);
    }
}
