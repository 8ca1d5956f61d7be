//! Texts of one hash, which a sender can make: each has a row of its own, and events are filed under their own.

use std::path::Path;
use std::sync::Arc;

use apm_store::event::{Batch, Event, Resource};
use apm_store::{Store, StoreError, trace};
use sql_lexer::Fingerprint;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::{number, open};
use crate::support::events::{batch, now, resource, span, transaction};

/// Two statements whose texts have one XXH64.
const STATEMENTS: [&str; 2] = [
    "SELECT * FROM kemubcrdlsbqgbcnnchcrnbsdhuusbssmbhbrejnerdsjrvfds", // typos: ignore
    "SELECT * FROM kemubcrdlsfufuyvodhcrnbsdhuusbssmbhbrejnerdaohjaiu", // typos: ignore
];

/// Two metadata lines of one XXH3, with what tells them apart.
fn documents() -> [String; 2] {
    [["bbbb", "cbbb"], ["cbbb", "bbbb"]].map(|[first, second]| {
        let head = r#"{"metadata":{"service":{"name":"shop"}},"labels":{"x":""#;
        let mut text = format!("{head}{}\"}}}}", "a".repeat(700 - head.len() - 3));
        text.replace_range(88..96, &format!(" AAA{first}"));
        text.replace_range(152..160, &format!("ibwr{second}"));
        text
    })
}

/// Stack traces that differ, and have one XXH3-128.
fn traces() -> impl Iterator<Item = String> {
    let letter = |number: u8| char::from(b'a' + number);
    (0..26).map(move |number| {
        let mut text = format!(r#"[{{"filename":"{}","lineno":1}}]"#, "x".repeat(1200));
        text.replace_range(448..456, &format!("{}--\u{c1}:&L", letter(number)));
        text.replace_range(896..904, &format!("{}---\u{374}Y1", letter(25 - number)));
        text
    })
}

/// Stores the batches, each with a new process that has nothing in its caches.
fn store_all(dir: &Path, batches: impl IntoIterator<Item = Batch>) -> Store {
    for batch in batches {
        let store = open(dir);
        store.submit(batch).expect("room").wait().expect("stored");
    }
    open(dir)
}

#[test]
fn statements_of_one_hash_are_two() {
    let [one, other] = STATEMENTS.map(Fingerprint::from_text);
    assert_eq!(one.hash, other.hash);
    assert_ne!(one.normalized, other.normalized);
    let dir = tempfile::tempdir().expect("a directory");
    let of = |number: u64, sql: &str| {
        let mut events = batch("shop");
        let event = span(&mut events, number, sql);
        events.events.push(Event::Span(event));
        events
    };
    let mut number_of = 0;
    let twice = [STATEMENTS, STATEMENTS].concat();
    let batches = twice.into_iter().map(|sql| {
        number_of += 1;
        of(number_of, sql)
    });
    let store = store_all(dir.path(), batches);
    assert_eq!(number(&store, "SELECT count(*) AS n FROM statement"), 2);
    let first = one.hash.cast_signed();
    let known = format!("SELECT count(*) AS n FROM statement WHERE fingerprint = {first}");
    assert_eq!(number(&store, &known), 1, "the first has the fingerprint");
    for sql in [one, other] {
        let own = format!(
            "SELECT count(*) AS n FROM span p JOIN statement q ON q.id = p.statement_id WHERE q.normalized = '{}'",
            sql.normalized
        );
        assert_eq!(number(&store, &own), 2, "{}", sql.normalized);
    }
}

#[test]
fn metadata_lines_of_one_hash_are_two() {
    let documents = documents();
    let [one, other] = documents.each_ref().map(|text| xxh3_64(text.as_bytes()));
    assert_eq!(one, other);
    assert_ne!(documents[0], documents[1]);
    let dir = tempfile::tempdir().expect("a directory");
    let twice = [&documents[..], &documents[..]].concat();
    let batches = (1..).zip(twice).map(|(number, document)| {
        let sender = Resource {
            document,
            ..Resource::clone(&resource("shop"))
        };
        let mut events = Batch::new(Arc::new(sender), now());
        let event = transaction(&mut events, number, "a");
        events.events.push(Event::Transaction(event));
        events
    });
    let store = store_all(dir.path(), batches);
    assert_eq!(number(&store, "SELECT count(*) AS n FROM resource"), 2);
    for document in documents {
        let own = format!(
            "SELECT count(*) AS n FROM tx t JOIN resource r ON r.id = t.resource_id WHERE r.document = '{document}'"
        );
        assert_eq!(number(&store, &own), 2);
    }
}

#[test]
fn stack_traces_of_one_hash_are_compared_with_a_few_of_them() {
    let traces: Vec<_> = traces().collect();
    let hash = xxh3_128(traces[0].as_bytes());
    assert!(traces.iter().all(|text| xxh3_128(text.as_bytes()) == hash));
    let dir = tempfile::tempdir().expect("a directory");
    let of = |numbers: std::ops::Range<usize>| {
        let mut events = batch("shop");
        for number in numbers {
            let mut event = span(&mut events, number as u64, "SELECT 1");
            event.stack = Some(events.keep(&traces[number]));
            events.events.push(Event::Span(event));
        }
        events
    };
    let rows = "SELECT count(*) AS n FROM stack";
    let count = |batches: Vec<Batch>| number(&store_all(dir.path(), batches), rows);
    assert_eq!(count(vec![of(0..26)]), 26, "each has its own");
    assert_eq!(count(vec![of(22..26)]), 26, "the newest are known");
    assert_eq!(count(vec![of(0..1)]), 27, "the oldest gets another row");
    assert_eq!(count(vec![of(0..1)]), 27, "which is known");
    let store = open(dir.path());
    for (number, text) in traces.iter().enumerate() {
        let id = format!("{number:032x}");
        let found = store
            .read::<_, StoreError>(|conn| trace(conn, &id))
            .expect("a trace");
        let own = found.iter().all(|event| event.stack.as_ref() == Some(text));
        assert!(own && !found.is_empty(), "{number}: {found:?}");
    }
}
