//! The work between two looks at the clock: time that is up when it was looked at so many times.

use std::collections::HashSet;
use std::fmt::Write as _;

use apm_store::{Store, StoreOptions};

use super::*;

const EVENTS: usize = 5_120;
const BLOCK: usize = 128;
const NEWEST: i64 = 1_767_225_600_000_000;

/// The number of the only transaction that takes 9 ms; the others take 2 ms.
const LONG: usize = 1_000;

/// A store with transactions that are so many microseconds apart.
fn store(dir: &std::path::Path, apart: i64) -> Store {
    let store = Store::open(StoreOptions::new(dir.join("apm.db"))).expect("a new database");
    let mut body = String::from(
        r#"{"metadata":{"service":{"name":"shop","agent":{"name":"rust","version":"1"}}}}"#,
    );
    for number in 1..=EVENTS {
        let timestamp = NEWEST - (EVENTS - number) as i64 * apart;
        let duration = if number == LONG { 9 } else { 2 };
        let _ = write!(
            body,
            "\n{{\"transaction\":{{\"id\":\"{number:016x}\",\"trace_id\":\"{number:032x}\",\
             \"name\":\"GET /a\",\"type\":\"request\",\"duration\":{duration},\"timestamp\":{timestamp},\
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

#[test]
fn a_search_for_long_events_looks_only_at_blocks_that_have_any() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = store(dir.path(), 1_000);
    // The number of blocks, and of hits.
    let found = |query: &str, kind: Kind| {
        let mut request = request(query);
        request.size = 10;
        let found = store.read::<_, StoreError>(|conn| {
            let search = Search::for_kinds(&request, &[kind]);
            let blocks = search.blocks(conn, request.range)?.all(conn)?;
            Ok((blocks.len(), super::search(conn, &request)?.total))
        });
        found.expect("an answer")
    };
    let all = EVENTS / BLOCK;
    let long = "transaction.duration.us >= 5000";
    assert_eq!(found(long, Kind::Transaction), (1, 1));
    let longest = |bound| found(bound, Kind::Transaction);
    assert_eq!(longest("transaction.duration.us > 9000"), (1, 0));
    assert_eq!(longest("transaction.duration.us >= 9001"), (0, 0));
    assert_eq!(found("span.duration.us >= 0", Kind::Span), (0, 0));
    let short = found("transaction.duration.us < 5000", Kind::Transaction);
    assert_eq!(short, (all, EVENTS as u64 - 1));
    // A block of before these were noted may have any.
    let forget = "UPDATE block SET tx_longest = NULL, span_longest = NULL";
    let ticket = store.write(move |conn| diesel::sql_query(forget).execute(conn));
    ticket.expect("open").wait().expect("written");
    assert_eq!(found(long, Kind::Transaction), (all, 1));
}

#[test]
fn a_page_has_the_newest_of_all_that_were_counted() {
    let dir = tempfile::tempdir().expect("a directory");
    // Times overlap in all blocks, and a chart has several buckets.
    let store = store(dir.path(), 0);
    let mut request = request("transaction.duration.us < 5000");
    request.size = 200;
    let read = |request: &Request| {
        let found = store.read::<_, StoreError>(|conn| {
            let search = Search::new(request);
            let deadline = Deadline::after_looks(usize::MAX);
            let counted = search.counts(conn, 3_600, request.size, &deadline)?;
            let newest = search.newest(conn, request.size, &deadline, &HashSet::new())?;
            Ok((counted.newest, newest.page.hits))
        });
        let (counted, hits) = found.expect("an answer");
        let hits: Vec<_> = hits.iter().map(|hit| (hit.timestamp, hit.seq)).collect();
        assert_eq!(counted.as_ref(), Some(&hits));
        hits
    };
    let first = read(&request);
    assert_eq!(first.len(), 200);
    let (timestamp, seq) = first[199];
    request.after = Some(Cursor { timestamp, seq });
    assert!(read(&request)[0] < first[199]);
}

#[test]
fn events_are_read_in_the_order_asked_for_until_told_to_stop() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = store(dir.path(), 1_000);
    // Two of each of three blocks, and one that is not there.
    let seqs = [300, 2, 301, 3, 130, 999_999, 131];
    let read = |goes_on: fn(apm_store::Progress) -> bool| {
        let read =
            store.read::<_, StoreError>(|conn| apm_store::events_while(conn, &seqs, goes_on));
        let (events, whole) = read.expect("readable");
        (
            events.iter().map(|event| event.seq).collect::<Vec<_>>(),
            whole,
        )
    };
    assert_eq!(read(|_| true), (vec![300, 2, 301, 3, 130, 131], 7));
    // The first block is read in any case, and of what is read only what has its place is given.
    assert_eq!(read(|_| false), (vec![300], 1));
    assert_eq!(
        read(|progress| progress.seqs < 4),
        (vec![300, 2, 301, 3], 4)
    );
    assert_eq!(read(|progress| progress.bytes == 0), (vec![300], 1));
}
