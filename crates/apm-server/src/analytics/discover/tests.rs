//! The work between two looks at the clock: time that is up when it was looked at so many times.

use std::collections::HashSet;
use std::fmt::Write as _;

use apm_store::{Store, StoreOptions};

use super::*;

const EVENTS: usize = 5_120;
const BLOCK: usize = 128;
const NEWEST: i64 = 1_767_225_600_000_000;

/// A store with transactions that are so many microseconds apart.
fn store(dir: &std::path::Path, apart: i64) -> Store {
    let store = Store::open(StoreOptions::new(dir.join("apm.db"))).expect("a new database");
    let mut body = String::from(
        r#"{"metadata":{"service":{"name":"shop","agent":{"name":"rust","version":"1"}}}}"#,
    );
    for number in 1..=EVENTS {
        let timestamp = NEWEST - (EVENTS - number) as i64 * apart;
        let _ = write!(
            body,
            "\n{{\"transaction\":{{\"id\":\"{number:016x}\",\"trace_id\":\"{number:032x}\",\
             \"name\":\"GET /a\",\"type\":\"request\",\"duration\":2,\"timestamp\":{timestamp},\
             \"span_count\":{{\"started\":0}}}}}}"
        );
    }
    for batch in crate::import::batches(body.as_bytes()) {
        let ticket = store.submit_when_room(batch).expect("open");
        ticket.wait().expect("stored");
    }
    store
}

fn request(query: &str) -> Request {
    Request {
        query: kql::parse(query, NEWEST).expect("a query"),
        range: Range {
            from: 0,
            to: NEWEST + 1,
        },
        size: 0,
        after: None,
        limits: Limits::default(),
    }
}

/// Documents that a search reads that columns do not decide.
fn documents(store: &Store, looks: usize) -> usize {
    let request = request("not labels.none:x");
    assert!(!Search::new(&request).is_exact());
    let mut documents = 0;
    let read = store.read::<_, StoreError>(|conn| {
        let deadline = Deadline::after_looks(looks);
        each(conn, &request, &[Kind::Transaction], &deadline, &mut |_| {
            documents += 1;
        })
    });
    assert_eq!(read.expect("an answer"), documents == EVENTS);
    documents
}

#[test]
fn a_search_reads_one_block_of_documents_between_two_looks_at_the_clock() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = store(dir.path(), 1_000);
    for looks in [0, 1, 5, 20] {
        let read = documents(&store, looks);
        assert!((1..=(looks + 1) * BLOCK).contains(&read), "{looks}: {read}");
    }
    assert_eq!(documents(&store, usize::MAX), EVENTS);
}

#[test]
fn where_times_overlap_a_search_reads_a_few_events_more() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = store(dir.path(), 0);
    for looks in [0, 1, 5, 20] {
        let read = documents(&store, looks);
        let most = (looks + 1) * BLOCK + BLOCK / 4;
        assert!((1..=most).contains(&read), "{looks}: {read}");
    }
    assert_eq!(documents(&store, usize::MAX), EVENTS);
}

#[test]
fn a_large_page_ends_where_time_is_up_and_says_where_the_next_begins() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = store(dir.path(), 1_000);
    let request = request("service.name:shop");
    let page = |looks| {
        let found = store.read::<_, StoreError>(|conn| {
            let deadline = Deadline::after_looks(looks);
            Search::new(&request).newest(conn, EVENTS, &deadline, &HashSet::new())
        });
        found.expect("an answer").page
    };
    for looks in [0, 10, 20] {
        let page = page(looks);
        assert!((1..=(looks + 1) * BLOCK).contains(&page.hits.len()));
        let last = page.hits.last().map(|hit| (hit.timestamp, hit.seq));
        let next = page.next.map(|next| (next.timestamp, next.seq));
        assert!(next.is_some() && next <= last, "{next:?} after {last:?}");
    }
    assert_eq!(page(usize::MAX).hits.len(), EVENTS);
}
