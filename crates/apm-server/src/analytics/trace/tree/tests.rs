use super::*;

fn hash(id: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64(id.as_bytes())
}

fn item(id: &str, parent: &str, start: i64, duration: i64) -> Item {
    let parent = (!parent.is_empty()).then(|| hash(parent));
    Item {
        id: hash(id),
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

fn arranged(items: &[Item]) -> Vec<(u64, u32, i64)> {
    arranged_with(items, &[])
}

fn arranged_with(items: &[Item], adoptions: &[Adoption]) -> Vec<(u64, u32, i64)> {
    let tree = Tree::new(items, adoptions);
    assert_eq!(tree.order.len(), items.len(), "every item has one place");
    tree.order
        .iter()
        .map(|i| {
            let node = &tree.nodes[*i as usize];
            (items[*i as usize].id, node.depth, node.at)
        })
        .collect()
}

fn row(id: &str, depth: u32, at: i64) -> (u64, u32, i64) {
    (hash(id), depth, at)
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
    let tree = Tree::new(&items, &[]);
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
    assert_eq!(Tree::new(&items, &[]).nodes[2].skew, 130);
}

#[test]
fn a_transaction_that_outlasts_its_caller_is_only_moved_to_its_start() {
    let items = [
        transaction("a", "", 1_000, 100),
        item("call", "a", 1_020, 10),
        transaction("b", "call", 900, 40),
    ];
    assert_eq!(Tree::new(&items, &[]).nodes[2].at, 20);
}

#[test]
fn a_transaction_after_its_callers_start_is_not_moved() {
    let items = [
        transaction("a", "", 1_000, 100),
        transaction("b", "a", 1_030, 400),
    ];
    let tree = Tree::new(&items, &[]);
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
    let tree = Tree::new(&items, &[]);
    assert_eq!(tree.roots[0], 1);
    let orphans: Vec<usize> = (0..3).filter(|i| tree.nodes[*i].orphan).collect();
    assert_eq!(orphans, [0, 2]);
    assert_eq!((tree.from, tree.to), (-500, 100));
}

#[test]
fn an_orphan_whose_transaction_is_known_hangs_under_it_and_stays_marked() {
    let owned = |id: &str, parent: &str, owner: &str| Item {
        owner: Some(hash(owner)),
        ..item(id, parent, 1_010, 5)
    };
    let items = [
        transaction("a", "", 1_000, 100),
        owned("lost", "gone", "a"),
        owned("below", "lost", "a"),
        owned("stray", "gone", "gone too"),
        // A span is no transaction, whatever says so.
        owned("wrong", "gone", "below"),
        // Nothing is its own parent.
        owned("itself", "gone", "itself"),
    ];
    assert_eq!(
        arranged(&items),
        [
            row("a", 0, 0),
            row("lost", 1, 10),
            row("below", 2, 10),
            row("stray", 0, 10),
            row("wrong", 0, 10),
            row("itself", 0, 10)
        ]
    );
    let tree = Tree::new(&items, &[]);
    let orphans: Vec<usize> = (0..6).filter(|i| tree.nodes[*i].orphan).collect();
    assert_eq!(orphans, [1, 3, 4, 5]);
}

#[test]
fn a_span_that_names_no_transaction_belongs_to_the_one_above_it() {
    let items = [
        item("deep", "inner", 1_020, 5),
        transaction("a", "", 1_000, 100),
        item("inner", "a", 1_010, 50),
        transaction("b", "inner", 1_012, 10),
        item("of b", "b", 1_013, 5),
        item("lost", "gone", 1_014, 5),
    ];
    let tree = Tree::new(&items, &[]);
    let owners: Vec<Option<u32>> = tree.nodes.iter().map(|node| node.owner).collect();
    assert_eq!(owners, [Some(1), None, Some(1), None, Some(3), None]);
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
    let items = [
        transaction("a", "", 0, 100),
        item("inferred", "a", 10, 50),
        item("sql", "a", 20, 5),
    ];
    assert_eq!(
        arranged_with(&items, &[(1, hash("sql"))]),
        [row("a", 0, 0), row("inferred", 1, 10), row("sql", 2, 20)]
    );
}

#[test]
fn ten_thousand_nested_spans_and_absurd_times_are_fine() {
    let mut items = vec![transaction("0", "", 0, 1)];
    items.extend((1..10_000).map(|i| item(&i.to_string(), &(i - 1).to_string(), 0, 1)));
    assert_eq!(Tree::new(&items, &[]).nodes[9_999].depth, 9_999);
    let absurd = [
        transaction("a", "", i64::MIN, i64::MAX),
        transaction("b", "a", i64::MAX, i64::MAX),
        item("c", "b", 0, -5),
    ];
    let tree = Tree::new(&absurd, &[]);
    assert_eq!(tree.nodes[2].duration, 0);
    assert_eq!(Tree::new(&[], &[]).order.len(), 0);
}

#[test]
fn a_span_of_no_transaction_whose_parent_is_lost_lies_below_the_only_one_that_it_began_in() {
    let of = |service: u64, item: Item| Item { service, ..item };
    let items = [
        of(1, transaction("a", "", 1_000, 100)),
        // Another service's request at the same time does not come into question.
        of(2, transaction("b", "a", 1_010, 60)),
        of(1, item("lost", "gone", 1_020, 5)),
        // The first with its parent began in the request, and this one goes on behind it.
        of(1, item("late", "gone", 1_150, 5)),
        of(1, item("below", "lost", 1_021, 2)),
        of(1, item("after", "gone too", 1_160, 5)),
        of(3, item("elsewhere", "gone", 1_020, 5)),
    ];
    let tree = Tree::new(&items, &[]);
    let owners: Vec<Option<u32>> = tree.nodes.iter().map(|node| node.owner).collect();
    assert_eq!(owners, [None, None, Some(0), Some(0), Some(0), None, None]);
    let orphans: Vec<usize> = (0..7).filter(|i| tree.nodes[*i].orphan).collect();
    assert_eq!(orphans, [2, 3, 5, 6], "they stay marked");
    assert_eq!(tree.nodes[2].parent, Some(0));
}
