use apm_time::Range;

use super::*;
use crate::analytics::discover;
use crate::analytics::tests::empty;

const MINUTE: i64 = 60_000_000;

fn hits(places: &[(i64, i64)]) -> Vec<Hit> {
    let hit = |(timestamp, seq): &(i64, i64)| Hit {
        seq: *seq,
        timestamp: *timestamp,
        document: json!({}),
    };
    places.iter().map(hit).collect()
}

/// A page of here: its documents, and where it ends.
fn page(places: &[(i64, i64)], next: Option<(i64, i64)>) -> Found {
    let request = Request {
        query: kql::Expr::All,
        range: Range {
            from: 0,
            to: 10 * MINUTE,
        },
        size: 10,
        after: None,
        limits: discover::Limits::default(),
    };
    let mut found = discover::search(&mut empty(), &request).expect("an empty page");
    found.hits = hits(places);
    found.total = places.len() as u64;
    found.next = next.map(|(timestamp, seq)| Cursor { timestamp, seq });
    found
}

fn places(found: &Found) -> Vec<(i64, i64)> {
    let hits = found.hits.iter();
    hits.map(|hit| (hit.timestamp, hit.seq & !FOREIGN))
        .collect()
}

fn others(of: &[(i64, i64)], reach: Option<(i64, i64)>) -> Others {
    let of: Vec<(i64, i64)> = of
        .iter()
        .map(|(time, seq)| (*time, seq | FOREIGN))
        .collect();
    Others {
        hits: hits(&of),
        reach,
        counts: Some(Vec::new()),
        values: Vec::new(),
        elsewhere: Elsewhere::default(),
    }
}

#[test]
fn a_page_of_both_ends_where_one_of_them_ends() {
    type Places<'a> = &'a [(i64, i64)];
    // Here, where that ends, the others, what was read of them (ms), and the page with the place where the next begins.
    type Case<'a> = (
        Places<'a>,
        Option<(i64, i64)>,
        Places<'a>,
        Option<(i64, i64)>,
        Places<'a>,
        Option<(i64, i64)>,
    );
    let table: [Case<'_>; 6] = [
        (
            &[(9000, 1)],
            None,
            &[(8000, 5)],
            None,
            &[(9000, 1), (8000, 5)],
            None,
        ),
        // Older ones of here are not read yet.
        (
            &[(9000, 2), (7000, 1)],
            Some((7000, 1)),
            &[(8000, 5), (6000, 4)],
            None,
            &[(9000, 2), (8000, 5), (7000, 1)],
            Some((7000, 1)),
        ),
        // Older ones of others are not read yet, and perhaps not all of the last millisecond.
        (
            &[(9000, 2), (6000, 1)],
            None,
            &[(8000, 5), (7500, 4)],
            Some((8, 7)),
            &[(9000, 2), (8000, 5)],
            Some((8000, 0)),
        ),
        // Many of the same millisecond: the page goes on all the same.
        (
            &[(6000, 1)],
            None,
            &[(7900, 5), (7100, 4)],
            Some((7, 7)),
            &[(7900, 5), (7100, 4)],
            Some((7000, 0)),
        ),
        // Nothing of what was read matches: the next page begins behind it.
        (&[], None, &[], Some((9, 3)), &[], Some((4000, 0))),
        (
            &[(9000, 9), (8500, 8), (8400, 7)],
            None,
            &[(9100, 5), (9050, 4)],
            None,
            &[(9100, 5), (9050, 4), (9000, 9), (8500, 8)],
            Some((8500, 8)),
        ),
    ];
    for (here, next, of_others, reach, wanted, wanted_next) in table {
        let mut found = page(here, next);
        let elsewhere = others(of_others, reach).join(&mut found, 4);
        assert_eq!(places(&found), wanted, "{here:?} {of_others:?}");
        let next = found
            .next
            .map(|cursor| (cursor.timestamp, cursor.seq & !FOREIGN));
        assert_eq!(next, wanted_next, "{here:?} {of_others:?}");
        let foreign = found.hits.iter().filter(|hit| is_foreign(hit.seq)).count();
        assert_eq!(elsewhere.events, foreign);
    }
}

#[test]
fn counts_of_the_engine_hold_what_is_here_but_for_the_last_seconds() {
    let mut found = page(&[(9000, 1)], None);
    found.total = 7;
    let last = found.histogram.len() - 1;
    found.histogram[last] = 7;
    let (interval, first) = (found.axis.interval, found.axis.buckets[0].start);
    let mut of_engine = others(&[], None);
    let at = |bucket: usize| first + interval * bucket as i64;
    of_engine.counts = Some(vec![
        (at(0), 100),
        (at(last), 5),
        (at(last + 5), 3),
        (-5 * interval, 1),
    ]);
    of_engine.join(&mut found, 10);
    assert_eq!((found.histogram[0], found.histogram[last]), (100, 7));
    assert_eq!((found.total, found.complete), (107, true));
    // The documents that came count, and are not all, where the engine cannot tell.
    let mut found = page(&[(9000, 1)], None);
    let mut of_engine = others(&[(8000, 2)], None);
    of_engine.counts = None;
    of_engine.join(&mut found, 10);
    assert_eq!((found.total, found.complete), (2, false));
}

#[test]
fn a_document_of_another_store_has_a_number_of_its_own() {
    let document = json!({"@timestamp": "2026-01-31T12:00:00.123Z"});
    let found = |store: &str, number| {
        hit(
            Some((store.to_owned(), number)),
            document.clone(),
            Some("own"),
        )
        .expect("a time")
    };
    assert_eq!(found("own", 7).seq, 7);
    let (a, b) = (found("a", 7).seq, found("b", 7).seq);
    assert!(a != b && is_foreign(a) && is_foreign(b));
    assert!(found("a", 8).seq > a);
    assert_eq!(found("a", 7).timestamp, 1_769_860_800_123_000);
    assert!(hit(None, json!({}), None).is_none());
}
