use super::*;
use crate::analytics::trace::item::Item;
use apm_store::event::Outcome;
use apm_store::id::StoredId;

/// A trace of `(parent, name, duration)`.
fn trace(items: &[(Option<u32>, &str, i64)]) -> Trace {
    let what = |name: &str| {
        let text = |text: &str| Arc::<str>::from(text);
        Arc::new(What {
            number: 0,
            service: text("shop"),
            environment: text(""),
            agent: text(""),
            name: text(name),
            kind: text("db"),
            subtype: text(""),
            action: text(""),
            result: text(""),
            destination: text(""),
            statement: None,
            fingerprint: None,
        })
    };
    let item = |(parent, name, duration): &(Option<u32>, &str, i64)| Item {
        seq: 0,
        id: StoredId::Short(0),
        what: what(name),
        timestamp: 0,
        duration: *duration,
        at: 0,
        skew: 0,
        self_time: *duration,
        rare: None,
        depth: 0,
        parent: *parent,
        transaction: None,
        status: None,
        outcome: Outcome::Success,
        is_transaction: parent.is_none(),
        sampled: true,
        is_orphan: false,
        is_far: false,
    };
    Trace {
        items: items.iter().map(item).collect(),
        ..Trace::default()
    }
}

/// `depth name count→count became`
fn told(aligned: &Aligned) -> Vec<String> {
    let count = |side: Option<Side>| side.map_or("-".to_owned(), |side| side.count.to_string());
    let line = |row: &Row| {
        let became = format!("{:?}", row.became).to_lowercase();
        format!(
            "{} {} {}→{} {became}",
            row.depth,
            row.name,
            count(row.first),
            count(row.second)
        )
    };
    aligned.rows.iter().map(line).collect()
}

#[test]
fn operations_are_put_beside_each_other_by_name_and_position() {
    let first = trace(&[
        (None, "GET /", 1_000),
        (Some(0), "auth", 200),
        (Some(0), "select", 300),
        (Some(0), "render", 100),
    ]);
    let second = trace(&[
        (None, "GET /", 5_000),
        (Some(0), "cache", 200),
        (Some(0), "select", 1_000),
        (Some(0), "select", 1_000),
        (Some(3), "fetch", 1),
        (Some(0), "render", 110),
    ]);
    let aligned = align(&first, &second);
    assert_eq!(
        told(&aligned),
        [
            "0 GET / 1→1 slower",
            "1 auth 1→- gone",
            "1 cache -→1 new",
            "1 select 1→2 slower",
            "2 fetch -→1 new",
            "1 render 1→1 same",
        ]
    );
    assert_eq!(aligned.rows[3].difference, 1_700);
    assert!(!aligned.is_cut);
}

#[test]
fn a_trace_compared_with_itself_differs_nowhere() {
    let names = ["a", "b", "a", "a", "c", "b"];
    let mut items = vec![(None, "GET /", 10)];
    items.extend(names.iter().map(|name| (Some(0), *name, 5)));
    items.extend(names.iter().map(|name| (Some(2), *name, 2)));
    let one = trace(&items);
    let aligned = align(&one, &one);
    assert!(
        aligned.rows.iter().all(|row| row.became == Became::Same),
        "{aligned:?}"
    );
    let sum: i64 = aligned
        .rows
        .iter()
        .map(|row| row.first.map_or(0, |side| side.count))
        .sum();
    assert_eq!(sum as usize, items.len(), "every item is in one row");
}

#[test]
fn what_is_in_one_trace_only_is_so_with_all_below_it() {
    let first = trace(&[(None, "GET /", 10)]);
    let second = trace(&[(None, "POST /", 10), (Some(0), "a", 1), (Some(1), "b", 1)]);
    assert_eq!(
        told(&align(&first, &second)),
        [
            "0 GET / 1→- gone",
            "0 POST / -→1 new",
            "1 a -→1 new",
            "2 b -→1 new"
        ]
    );
    assert!(align(&Trace::default(), &Trace::default()).rows.is_empty());
}

#[test]
fn deep_and_wide_traces_are_compared_within_their_bound() {
    let names: Vec<String> = (0..3_000).map(|n| format!("span {n}")).collect();
    let mut wide = vec![(None, "GET /", 10)];
    wide.extend(names.iter().map(|name| (Some(0), &**name, 1)));
    let mut later = wide.clone();
    later.remove(1);
    let aligned = align(&trace(&wide), &trace(&later));
    assert!(aligned.is_cut && aligned.rows.len() == MOST_ROWS);
    assert_eq!(
        aligned
            .rows
            .iter()
            .filter(|row| row.became == Became::Gone)
            .count(),
        1
    );
    let mut deep = vec![(None, "GET /", 10)];
    deep.extend((0..100_000).map(|n| (Some(n), if n % 2 == 0 { "a" } else { "b" }, 1)));
    assert!(align(&trace(&deep), &trace(&deep)).is_cut);
}
