//! Spans of a block share the ids of their trace and of their transaction; whoever reads them finds each with its own.

use std::time::Duration;

use apm_store::event::{Batch, Event, StoredEvent};
use apm_store::{MIGRATIONS, Store, StoreError, StoreOptions, TailSampling, events, trace};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_migrations::MigrationHarness;
use proptest::prelude::*;

use super::tail::wait_until_sampled;
use super::{number, open, options, submit};
use crate::support::events::{NEW_YEAR, batch, resource, span, transaction};

/// The ids of a span as they were sent: its own, of its trace, its transaction and its parent.
type Ids = (String, String, Option<String>, String);

/// Pairs that are stored once.
const PAIRS: &str = "SELECT count(*) AS n FROM span_trace";

/// Rows of spans that name a pair.
const SHARING: &str = "SELECT count(*) AS n FROM span_row WHERE trace_id = x''";

/// Pairs that no row names.
const UNUSED: &str = "SELECT count(*) AS n FROM span_trace \
    WHERE id NOT IN (SELECT seq / 128 * 128 + transaction_id FROM span_row WHERE trace_id = x'')";

/// Few traces, transactions and parents, of all forms, so that many spans share them.
fn ids() -> impl Strategy<Value = Ids> {
    let trace = prop_oneof![
        8 => (0..6u8).prop_map(|number| format!("{number:032x}")),
        1 => Just("00000000000000ff".to_owned()),
        1 => Just("a trace of another form".to_owned()),
    ];
    let transaction = prop_oneof![
        8 => (0..3u8).prop_map(|number| Some(format!("{number:016x}"))),
        1 => Just(Some("ffffffffffffffff".to_owned())),
        1 => Just(Some("of another form".to_owned())),
        1 => Just(None),
    ];
    let parent = prop_oneof![
        8 => (0..4u8).prop_map(|number| format!("{number:016x}")),
        1 => Just("of another form".to_owned()),
    ];
    (any::<u64>(), trace, transaction, parent).prop_map(|(id, trace, transaction, parent)| {
        (format!("{id:016x}"), trace, transaction, parent)
    })
}

/// A batch with these spans, and a transaction after each tenth of them.
fn spans(sent: &[Ids]) -> Batch {
    let mut batch = batch("shop");
    for (at, (id, trace, transaction_id, parent)) in (0u64..).zip(sent) {
        let mut event = span(&mut batch, at, "select 1");
        event.id = batch.keep_id(id);
        event.trace_id = batch.keep_id(trace);
        event.transaction_id = transaction_id.as_deref().map(|id| batch.keep_id(id));
        event.parent_id = batch.keep_id(parent);
        batch.events.push(Event::Span(event));
        if at % 10 == 9 {
            let event = transaction(&mut batch, at, "a");
            batch.events.push(Event::Transaction(event));
        }
    }
    batch
}

/// All stored events, each compared with its checksum.
fn all(store: &Store) -> Vec<StoredEvent> {
    let last = number(store, "SELECT max(id) AS n FROM block");
    let seqs: Vec<i64> = (0..(last + 1) * 128).collect();
    store
        .read::<_, StoreError>(|conn| events(conn, &seqs))
        .expect("sound")
}

/// The ids of the spans among them.
fn found(events: &[StoredEvent]) -> Vec<Ids> {
    let spans = events.iter().filter(|event| event.subtype.is_some());
    let text = |id: &Option<String>| id.clone().expect("an id");
    spans
        .map(|span| {
            let (id, parent) = (text(&span.id), text(&span.parent_id));
            (
                id,
                text(&span.trace_id),
                span.transaction_id.clone(),
                parent,
            )
        })
        .collect()
}

/// Traces with a number of spans each, one after the other.
fn traces(count: u64, each: u64) -> Vec<Ids> {
    let ids = |trace: u64, place: u64| {
        let transaction = format!("{trace:016x}");
        let parent = if place == 1 {
            format!("{:016x}", trace << 20)
        } else {
            transaction.clone()
        };
        let id = format!("{:016x}", trace << 20 | place);
        (id, format!("{trace:032x}"), Some(transaction), parent)
    };
    (0..count)
        .flat_map(|trace| (0..each).map(move |place| ids(trace + 1, place)))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn spans_are_read_with_the_ids_that_were_sent(
        batches in prop::collection::vec(prop::collection::vec(ids(), 1..150), 1..6),
    ) {
        let dir = tempfile::tempdir().expect("a directory");
        let mut store = open(dir.path());
        for sent in &batches {
            submit(&store, spans(sent));
        }
        let sent = batches.concat();
        prop_assert_eq!(&found(&all(&store)), &sent);
        prop_assert_eq!(number(&store, UNUSED), 0);
        // A block goes on by what is in memory, and after a start a new one begins.
        drop(store);
        store = open(dir.path());
        submit(&store, spans(&batches[0]));
        prop_assert_eq!(found(&all(&store)), [sent, batches[0].clone()].concat());
    }
}

#[test]
fn a_pair_of_ids_is_stored_once_for_the_spans_of_a_block() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    // Twelve traces, with a transaction after each tenth span. The last of them goes on in the next block.
    let sent = traces(12, 10);
    submit(&store, spans(&sent));
    assert_eq!((number(&store, PAIRS), number(&store, SHARING)), (13, 120));
    let parents = "SELECT count(*) AS n FROM span_row WHERE parent_id IS NOT NULL";
    assert_eq!(
        number(&store, parents),
        12,
        "a parent that is no transaction stays"
    );
    // One at a time, a pair is stored from the second span on.
    for one in traces(1, 3) {
        submit(&store, spans(&[one]));
    }
    let own = "SELECT count(*) AS n FROM span_row WHERE length(trace_id) = 16";
    assert_eq!(
        (
            number(&store, PAIRS),
            number(&store, SHARING),
            number(&store, own)
        ),
        (14, 122, 1)
    );
    // Spans that share nothing keep their ids.
    let alone = &traces(50, 1)[30..];
    submit(&store, spans(alone));
    assert_eq!(number(&store, own), 21);
    assert_eq!(
        found(&all(&store)),
        [sent, traces(1, 3), alone.to_vec()].concat()
    );
    let id = format!("{:032x}", 7);
    let one = store.read::<_, StoreError>(|conn| trace(conn, &id));
    assert_eq!(one.expect("a trace").len(), 10);
    let by_sql = "SELECT count(*) AS n FROM v_spans \
        WHERE trace_id = '00000000000000000000000000000007' AND transaction_id = '0000000000000007'";
    assert_eq!(number(&store, by_sql), 10);
}

#[test]
fn a_pair_that_is_damaged_or_gone_is_an_error_and_never_another_trace() {
    for damage in [
        "UPDATE span_trace SET trace_id = x'00000000000000000000000000000008' WHERE id = 3",
        "UPDATE span_trace SET transaction_id = transaction_id + 1 WHERE id = 3",
        "DELETE FROM span_trace WHERE id = 3",
        "UPDATE span_row SET transaction_id = transaction_id + 1 WHERE seq = 33",
    ] {
        let dir = tempfile::tempdir().expect("a directory");
        let store = open(dir.path());
        submit(&store, spans(&traces(8, 10)));
        let wrote = store.write(move |conn| conn.batch_execute(damage));
        wrote.expect("room").wait().expect("damaged");
        let read = store.read::<_, StoreError>(|conn| events(conn, &[33]));
        assert!(
            matches!(read, Err(StoreError::BadBlock(_))),
            "{damage}: {read:?}"
        );
        let sound = store.read::<_, StoreError>(|conn| events(conn, &[1]));
        assert_eq!(sound.expect("sound").len(), 1, "{damage}");
    }
}

#[test]
fn a_commit_that_failed_leaves_no_pair_behind_and_takes_none_away() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let before = traces(3, 5);
    submit(&store, spans(&before));
    let pages = number(&store, "SELECT page_count AS n FROM pragma_page_count");
    let set = |pages: i64| {
        let sql = format!("PRAGMA max_page_count = {pages}");
        let set = store.write(move |conn| conn.batch_execute(&sql));
        set.expect("room").wait().expect("set");
    };
    set(pages);
    // More than fits into the pages that there are: new traces, and the ones that are known.
    let refused = [traces(300, 5), traces(3, 5)].concat();
    let refused = store.submit(spans(&refused)).expect("room").wait();
    assert!(
        matches!(refused, Err(StoreError::DiskFull(_))),
        "{refused:?}"
    );
    set(1_000_000);
    let after = [traces(6, 5), traces(3, 5)].concat();
    submit(&store, spans(&after));
    assert_eq!(found(&all(&store)), [before, after].concat());
    assert_eq!(number(&store, UNUSED), 0);
}

#[test]
fn a_database_of_the_version_before_goes_on_and_can_go_back() {
    const VERSION: &str = "20261130000000";
    let dir = tempfile::tempdir().expect("a directory");
    let (path, sent) = (options(dir.path()).path, traces(30, 10));
    {
        let store = open(dir.path());
        submit(&store, spans(&sent));
        assert!(number(&store, SHARING) > 200);
    }
    let mut conn = SqliteConnection::establish(path.to_str().expect("UTF-8")).expect("opens");
    loop {
        let applied = conn.applied_migrations().expect("migrations");
        let newest = applied.iter().map(ToString::to_string).max();
        if newest.expect("a migration").as_str() < VERSION {
            break;
        }
        conn.revert_last_migration(MIGRATIONS).expect("down");
    }
    // The rows hold their ids themselves, as those of the version before.
    conn.batch_execute("CREATE TABLE checked (n INTEGER CHECK (n = 300))")
        .expect("a table");
    conn.batch_execute(
        "INSERT INTO checked SELECT count(*) FROM span \
         WHERE length(trace_id) = 16 AND typeof(transaction_id) = 'integer' AND typeof(parent_id) = 'integer'; \
         DROP TABLE checked",
    )
    .expect("all of them");
    drop(conn);
    let store = open(dir.path());
    assert_eq!((number(&store, PAIRS), number(&store, SHARING)), (0, 0));
    submit(&store, spans(&sent));
    assert!(number(&store, SHARING) > 200);
    assert_eq!(found(&all(&store)), [sent.clone(), sent].concat());
}

#[test]
fn pairs_go_with_the_last_span_that_shares_them() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    // The spans of traces that go and of those that stay are in the same blocks.
    let mut sent = Batch::new(resource("shop"), NEW_YEAR);
    for (at, (id, trace, transaction_id, parent)) in (0u64..).zip(traces(200, 5)) {
        let mut event = span(&mut sent, at, "select 1");
        event.id = sent.keep_id(&id);
        event.trace_id = sent.keep_id(&trace);
        event.transaction_id = transaction_id.map(|id| sent.keep_id(&id));
        event.parent_id = sent.keep_id(&parent);
        sent.events.push(Event::Span(event));
    }
    submit(&store, sent);
    let before = number(&store, PAIRS);
    let last = number(&store, "SELECT max(id) AS n FROM block");
    store.close();
    drop(store);
    let store = Store::open(StoreOptions {
        tail: Some(TailSampling {
            share: 0.5,
            slow: Some(Duration::from_secs(1)),
            wait: Duration::from_secs(60),
        }),
        trusted_jump: Duration::from_secs(1000 * 24 * 60 * 60),
        ..options(dir.path())
    });
    let store = store.expect("opens");
    wait_until_sampled(&store, last);
    let left = number(&store, PAIRS);
    assert!(left > 0 && left < before, "{left} of {before}");
    assert_eq!(number(&store, UNUSED), 0);
    let found = found(&all(&store));
    let sent = traces(200, 5);
    assert!(!found.is_empty() && found.len() < sent.len());
    assert!(found.iter().all(|span| sent.contains(span)));
}
