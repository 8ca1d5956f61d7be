//! Searches that run out of time, and what they cost where the times of events are in no order.

use std::time::{Duration, Instant};

use apm_server::analytics::discover::{Limits, Request};
use apm_store::Store;
use apm_store::event::Event;
use apm_time::{Range, SECOND};

use super::discover::{mixed, request, search};
use super::{MINUTE, add, batch, open, store_all};
use crate::support::events::{NEW_YEAR, transaction};

#[test]
fn a_search_that_runs_out_of_time_says_so() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    mixed(&store);
    let mut hurried = request("free text", 10);
    hurried.limits.deadline = Duration::ZERO;
    assert!(!search(&store, &hurried).complete);
    // A search that columns decide ends as well. There is always some progress.
    hurried.query = kql::parse("service.name:shop", NEW_YEAR).expect("a query");
    let found = search(&store, &hurried);
    assert!(!found.complete && found.total > 0);
    hurried.limits = Limits::default();
    assert!(search(&store, &hurried).complete);
}

#[test]
fn whoever_goes_on_from_where_time_was_up_reaches_every_hit() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    // Blocks that span the same time, blocks that follow each other, and some of one moment.
    for number in 0..20 {
        let mut events = batch("shop");
        add(&mut events, number * 1000, "a", (0..700).map(|i| i % 100));
        for (index, event) in events.events.iter_mut().enumerate() {
            let Event::Transaction(event) = event else {
                continue;
            };
            match number {
                0..5 => event.timestamp = NEW_YEAR,
                5..15 => event.timestamp += (number as i64 - 5) * 4 * MINUTE,
                _ => event.timestamp = NEW_YEAR + index as i64 * 4 * SECOND,
            }
        }
        store_all(&store, events);
    }
    // If columns decide, a page gets further in no time, and to the end where nothing matches.
    for (query, size, least) in [
        ("transaction.name:*a and 99 and not message:x", 50, 20),
        ("transaction.duration.us < 70 and not message:x", 1000, 20),
        ("nothing.like.it:x and free", 50, 20),
        ("service.name:shop and transaction.duration.us < 9", 50, 5),
        ("service.name:shop and transaction.duration.us < 70", 300, 5),
        ("transaction.duration.us > 1000000", 50, 0),
    ] {
        let whole = search(&store, &request(query, 10_000));
        let whole: Vec<i64> = whole.hits.iter().map(|hit| hit.seq).collect();
        let mut page = request(query, size);
        page.limits.deadline = Duration::ZERO;
        let mut paged = Vec::new();
        let mut pages = 0;
        loop {
            let found = search(&store, &page);
            assert!(found.hits.len() <= size);
            assert!(found.next.is_none() || found.next != page.after, "{query}");
            paged.extend(found.hits.iter().map(|hit| hit.seq));
            pages += 1;
            page.after = found.next;
            if page.after.is_none() {
                break;
            }
            assert!(pages < 1000, "{query}: no end");
        }
        assert!(pages > least, "{query}: {pages}");
        assert_eq!(paged, whole, "{query}");
    }
}

#[test]
fn a_count_that_runs_out_of_time_says_so_and_is_one_of_the_newest() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    // More blocks than are counted before the clock is looked at.
    for number in 0..40_u64 {
        let mut events = batch("shop");
        add(&mut events, number * 1000, "a", 0..1000);
        for (index, event) in events.events.iter_mut().enumerate() {
            if let Event::Transaction(event) = event {
                event.timestamp = NEW_YEAR + number as i64 * MINUTE + index as i64;
            }
        }
        store_all(&store, events);
    }
    let mut wanted = request("service.name:shop and transaction.duration.us >= 500", 10);
    wanted.range = Range::new(NEW_YEAR, NEW_YEAR + 40 * MINUTE).expect("a range");
    let whole = search(&store, &wanted);
    assert_eq!((whole.total, whole.complete), (20_000, true));
    wanted.limits.deadline = Duration::ZERO;
    let found = search(&store, &wanted);
    assert!(!found.complete);
    assert!((10..20_000).contains(&found.total), "{}", found.total);
    assert_eq!(found.hits, whole.hits);
    let (counted, all) = (found.histogram, whole.histogram);
    assert!(
        counted
            .iter()
            .zip(&all)
            .all(|(counted, all)| counted <= all)
    );
    let last = |histogram: &[u64]| histogram.last().copied();
    assert_eq!(last(&counted), last(&all), "the newest are counted first");
    assert_eq!(counted[0], 0);
}

/// Transactions with a label each, whose times follow each other, or are in each block those of the whole hour.
fn labelled(store: &Store, count: u64, is_interleaved: bool) {
    for first in (0..count).step_by(1_000) {
        let mut events = batch("shop");
        for number in first..first + 1_000 {
            let mut event = transaction(&mut events, number, "a");
            let place = match is_interleaved {
                true => number * 7_919 % count,
                false => number,
            };
            event.timestamp = NEW_YEAR + place as i64 * (50 * MINUTE / count as i64);
            event.rest = events.keep(&format!(
                r#"{{"context":{{"tags":{{"k":"v{}","text":"some words of an event"}}}}}}"#,
                number % 10
            ));
            events.events.push(Event::Transaction(event));
        }
        store_all(store, events);
    }
}

/// The shortest of some searches, each of which has to find so many.
fn fastest(store: &Store, request: &Request, total: u64) -> Duration {
    let times = (0..2).map(|_| {
        let start = Instant::now();
        let found = search(store, request);
        assert_eq!((found.total, found.complete), (total, true));
        start.elapsed()
    });
    times.min().expect("some")
}

#[test]
fn documents_cost_as_much_in_any_order_of_their_times() {
    const COUNT: u64 = 3_000;
    let dir = tempfile::tempdir().expect("a directory");
    let [in_order, interleaved] = [false, true].map(|is_interleaved| {
        let dir = dir.path().join(is_interleaved.to_string());
        std::fs::create_dir(&dir).expect("a directory");
        let store = open(&dir);
        labelled(&store, COUNT, is_interleaved);
        store
    });
    for (query, total) in [
        ("words and not labels.k:v3", COUNT / 10 * 9),
        ("labels.k:v3 or labels.k:v4", COUNT / 5),
        ("service.name:shop and labels.k:v*3", COUNT / 10),
    ] {
        let mut wanted = request(query, 50);
        // Turn by turn, the best of each: a busy machine may slow any single one.
        let (mut ordered, mut mixed) = (Duration::MAX, Duration::MAX);
        for _ in 0..10 {
            ordered = ordered.min(fastest(&in_order, &wanted, total));
            mixed = mixed.min(fastest(&interleaved, &wanted, total));
            if mixed / 4 < ordered {
                break;
            }
        }
        assert!(mixed / 4 < ordered, "{query}: {mixed:?} and {ordered:?}");
        // Both find the same newest hits as a search with no bound on the page.
        wanted.size = 10_000;
        let all = search(&interleaved, &wanted).hits;
        wanted.size = 50;
        assert_eq!(search(&interleaved, &wanted).hits, all[..50], "{query}");
    }
}

#[test]
fn a_search_among_interleaved_times_ends_when_its_time_is_up_and_says_so() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    labelled(&store, 6_000, true);
    let mut wanted = request("words and not labels.k:v3", 50);
    let whole = fastest(&store, &wanted, 5_400);
    wanted.limits.deadline = whole / 8;
    // The best of ten, as a busy machine may slow any single one.
    let mut took = Duration::MAX;
    let mut found = search(&store, &wanted);
    for _ in 0..10 {
        let start = Instant::now();
        found = search(&store, &wanted);
        took = took.min(start.elapsed());
        if took < whole / 2 {
            break;
        }
    }
    assert!(took < whole / 2, "{took:?} of {whole:?}");
    assert!(!found.complete && found.total > 0 && found.total < 5_400);
    // It got somewhere, and what it shows are the newest hits of all.
    wanted.limits = Limits {
        deadline: Duration::from_secs(60),
    };
    let newest = search(&store, &wanted).hits;
    assert_eq!(found.hits[..], newest[..found.hits.len()]);
    let next = found.next.expect("there is more");
    assert!(next.timestamp < wanted.range.to);
}

#[test]
fn a_search_for_no_documents_is_complete() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    mixed(&store);
    for query in ["service.name:shop", "hello"] {
        let found = search(&store, &request(query, 0));
        assert!(found.complete && found.total > 0, "{query}");
        assert_eq!((found.hits.len(), found.next), (0, None), "{query}");
    }
}
