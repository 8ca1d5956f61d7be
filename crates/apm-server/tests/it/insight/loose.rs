//! Spans of OpenTelemetry, which name their parent and no transaction, in bodies that come before it.

use apm_server::insight::Engine;
use apm_store::event::{Batch, Event};
use apm_store::{Store, StoreOptions};

use super::{INSERT, batch, finding, now, options, span, transaction, until};

const REQUESTS: u64 = 40;
const CALLS: u64 = 12;
/// The ids of spans that are between a transaction and its statements.
const BETWEEN: u64 = 1 << 61;

/// The statements of all requests.
fn statements(start: i64) -> Batch {
    let mut batch = batch("shop");
    for number in 1..=REQUESTS {
        for call in 0..CALLS {
            let mut one = span(&mut batch, number, INSERT);
            one.id = batch.keep_id(&format!("{:016x}", number << 16 | call | 1 << 62));
            one.transaction_id = None;
            one.parent_id = batch.keep_id(&format!("{:016x}", number | BETWEEN));
            one.timestamp = start + 1_000 * (100 * number + call).cast_signed();
            batch.events.push(Event::Span(one));
        }
    }
    batch
}

/// The spans above them. `is_owned`: whether they name their transaction.
fn between(start: i64, is_owned: bool) -> Batch {
    let mut batch = batch("shop");
    for number in 1..=REQUESTS {
        let mut one = span(&mut batch, number, "");
        one.id = batch.keep_id(&format!("{:016x}", number | BETWEEN));
        one.db_statement = None;
        if !is_owned {
            one.transaction_id = None;
        }
        one.timestamp = start + 100_000 * number.cast_signed();
        batch.events.push(Event::Span(one));
    }
    batch
}

fn transactions(start: i64) -> Batch {
    let mut batch = batch("shop");
    for number in 1..=REQUESTS {
        let mut one = transaction(&mut batch, number, "stock");
        one.timestamp = start + 100_000 * number.cast_signed() - 500;
        one.duration = 20_000;
        batch.events.push(Event::Transaction(one));
    }
    batch
}

#[test]
fn a_statement_that_repeats_is_found_whose_transaction_comes_in_a_later_body() {
    for is_owned in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(StoreOptions::new(dir.path().join("apm.db"))).unwrap();
        let engine = Engine::start(store.clone(), options(None)).unwrap();
        let start = now() - 10_000_000;
        for part in [
            statements(start),
            between(start, is_owned),
            transactions(start),
        ] {
            store.submit(part).unwrap().wait().unwrap();
        }
        assert_found(&store);
        drop(engine);
    }
}

#[test]
fn a_statement_that_repeats_is_found_below_a_span_that_never_comes() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(StoreOptions::new(dir.path().join("apm.db"))).unwrap();
    let engine = Engine::start(store.clone(), options(None)).unwrap();
    let start = now() - 10_000_000;
    for part in [statements(start), transactions(start)] {
        store.submit(part).unwrap().wait().unwrap();
    }
    assert_found(&store);
    drop(engine);
}

fn assert_found(store: &Store) {
    let found = until(store, false, |found| finding(found, "repeat").is_some());
    let repeat = finding(&found, "repeat").expect("it was found");
    assert!(repeat.says.title.contains("12"), "{repeat:#?}");
}
