//! One trace, from the store to the timeline.

use std::sync::Arc;

use actix_web::web;
use apm_server::analytics::trace::read;
use apm_server::analytics::trace::window::Turned;
use apm_store::event::{Batch, Composite, Event};
use apm_store::{Store, StoreError};

use super::api::json;
use super::{batch, open, store_all};
use crate::support::events::{NEW_YEAR, error, log, span, transaction};

#[test]
fn a_trace_has_its_items_in_order_with_errors_logs_and_orphans() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let mut events = batch("shop");
    let mut orphan = span(&mut events, 1, "select 1");
    orphan.id = events.keep_id("an orphan");
    orphan.parent_id = events.keep_id("gone");
    events.events.push(Event::Span(orphan));
    let child = span(&mut events, 1, "select * from people");
    events.events.push(Event::Span(child));
    let event = error(&mut events, 1);
    events.events.push(Event::Error(event));
    let event = log(&mut events, 1);
    events.events.push(Event::Log(event));
    // The transaction comes last, as agents send it.
    let entry = transaction(&mut events, 1, "a");
    events.events.push(Event::Transaction(entry));
    let other = transaction(&mut events, 2, "a");
    events.events.push(Event::Transaction(other));
    store_all(&store, events);
    let id = format!("{:032x}", 1);
    let trace = store
        .read::<_, StoreError>(|conn| read::trace(conn, &id))
        .expect("a trace")
        .expect("it is there");
    let items: Vec<(&str, u32, i64, bool)> = trace
        .items
        .iter()
        .map(|item| (&*item.what.name, item.depth, item.at, item.is_orphan))
        .collect();
    assert_eq!(items[0], ("GET /a", 0, 0, false));
    // Its parent did not arrive, but its transaction did: it hangs under that, and is marked.
    assert!(items[1].3 && items[1].1 == 1, "{items:?}");
    assert_eq!(items[2], ("SELECT FROM people", 1, 100, false));
    assert_eq!(trace.orphans, 1);
    assert_eq!((trace.start, trace.items[0].duration), (NEW_YEAR, 1500));
    let statements = store
        .read::<_, StoreError>(|conn| read::statements(conn, &trace.items[2..3]))
        .expect("its text");
    let statement = trace.items[2].what.statement.expect("a statement");
    assert_eq!(statements[&statement], "SELECT * FROM people");
    assert_eq!(&*trace.items[2].what.destination, "sqlite/people.db");
    assert_eq!((trace.errors.len(), trace.logs.len()), (1, 1));
    assert_eq!(trace.errors[0].key, "ef46db3751d8e999");
    let waited: i64 = trace.critical_path.iter().map(|of| of.to - of.from).sum();
    assert_eq!(waited, 1500);
    assert_eq!(trace.seq_of("0000000000000001"), Some(trace.items[0].seq));
    let none = store.read::<_, StoreError>(|conn| read::trace(conn, "no such trace"));
    assert!(none.expect("an answer").is_none());
}

#[test]
fn an_inferred_span_adopts_the_spans_that_it_names() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let mut events = batch("shop");
    let child = span(&mut events, 1, "select * from people");
    let adopted = events.id(child.id);
    events.events.push(Event::Span(child));
    let mut inferred = span(&mut events, 1, "select 1");
    inferred.id = events.keep_id("00000000000000aa");
    inferred.name = events.keep("Controller#list");
    inferred.kind = events.keep("app");
    inferred.subtype = Some(events.keep("inferred"));
    inferred.rest = events.keep(&format!(r#"{{"child_ids":["{adopted}"]}}"#));
    events.events.push(Event::Span(inferred));
    let entry = transaction(&mut events, 1, "a");
    events.events.push(Event::Transaction(entry));
    store_all(&store, events);
    let id = format!("{:032x}", 1);
    let read = store.read::<_, StoreError>(|conn| read::trace(conn, &id));
    let trace = read.expect("a trace").expect("it is there");
    let items: Vec<(&str, u32)> = trace
        .items
        .iter()
        .map(|item| (&*item.what.name, item.depth))
        .collect();
    assert_eq!(
        items,
        [
            ("GET /a", 0),
            ("Controller#list", 1),
            ("SELECT FROM people", 2)
        ]
    );
}

#[test]
fn a_large_trace_is_read_once_and_again_when_more_of_it_arrives() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let id = format!("{:032x}", 1);
    let read = || {
        let trace = store.read::<_, StoreError>(|conn| read::trace(conn, &id));
        trace.expect("a trace").expect("it is there")
    };
    let spans = |count: u32| {
        let mut events = batch("shop");
        for i in 0..count {
            let mut span = span(&mut events, 1, "select * from people");
            span.id = events.keep_id(&format!("{:016x}", 0xabc0_0000u32 + i));
            events.events.push(Event::Span(span));
        }
        store_all(&store, events);
    };
    spans(6_000);
    let first = read();
    assert_eq!((first.items.len(), first.is_cut), (6_000, false));
    assert!(Arc::ptr_eq(&first, &read()), "it is kept");
    let mut events = batch("shop");
    let entry = transaction(&mut events, 1, "a");
    events.events.push(Event::Transaction(entry));
    store_all(&store, events);
    let second = read();
    assert_eq!(second.items.len(), 6_001);
    assert!(second.items[0].is_transaction);
    // The request, one line for all spans, which are alike, and the time that they do not cover.
    assert_eq!(Turned::default().seen(&second).count(), 3);
}

#[test]
fn what_a_reader_turned_is_named_by_numbers_of_events() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let mut events = batch("shop");
    let entry = transaction(&mut events, 1, "a");
    events.events.push(Event::Transaction(entry));
    for i in 0..12 {
        let mut span = span(&mut events, 1, "select 1");
        span.id = events.keep_id(&format!("{:016x}", 0xabc0_0000u32 + i));
        events.events.push(Event::Span(span));
    }
    store_all(&store, events);
    let id = format!("{:032x}", 1);
    let trace = store.read::<_, StoreError>(|conn| read::trace(conn, &id));
    let trace = trace.expect("a trace").expect("it is there");
    let seen = |turned: &Turned| turned.seen(&trace).count();
    let none = Turned::default();
    // The request, and twelve calls in one line; there may be a gap.
    let folded = seen(&none);
    let fold = trace.lines.of_item[1] as usize - 1;
    let open = none.turn(fold);
    assert_eq!(seen(&open), folded + 12);
    let text = open.text(&trace);
    assert_eq!(text, format!("f{}", trace.items[1].seq));
    assert_eq!(Turned::parse(&trace, &text), open);
    let shut = Turned::parse(&trace, &trace.items[0].seq.to_string());
    assert_eq!(seen(&shut), 1);
    for wrong in ["", "f", "o", "c", "999999999", "-1", "f-1", "x,y", ",,,"] {
        assert_eq!(Turned::parse(&trace, wrong), none, "{wrong}");
    }
    let mut revealed = shut.clone();
    revealed.reveal(&trace, trace.lines.of_item[7] as usize);
    assert_eq!(seen(&revealed), folded + 12);
}

#[actix_web::test]
async fn the_longest_call_of_a_composite_span_is_the_mean_of_its_calls() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let mut events = batch("shop");
    let entry = transaction(&mut events, 1, "a");
    events.events.push(Event::Transaction(entry));
    // Four calls of 500 µs with long pauses between them.
    let mut calls = span(&mut events, 1, "select * from people");
    calls.duration = 40_000;
    calls.composite = Some(Composite {
        count: 4,
        sum: 2_000,
    });
    events.events.push(Event::Span(calls));
    let mut alone = span(&mut events, 1, "select * from people");
    alone.id = events.keep_id("alone");
    alone.duration = 300;
    events.events.push(Event::Span(alone));
    stored(&store, events).await;
    let path = format!("/api/v1/traces/{:032x}", 1);
    let sql = json(&store, &format!("{path}?tab=sql")).await;
    let statement = &sql["statements"][0];
    let numbers = ["calls", "total", "average", "longest"].map(|name| statement[name].as_f64());
    assert_eq!(numbers, [5.0, 2_300.0, 460.0, 500.0].map(Some), "{sql}");
    let statistics = json(&store, &format!("{path}?tab=statistics&sort=-max")).await;
    let rows = statistics["operations"].as_array().expect("rows");
    let longest: Vec<Option<i64>> = rows.iter().map(|row| row["longest"].as_i64()).collect();
    assert_eq!(longest, [Some(1_500), Some(500)], "{statistics}");
}

#[actix_web::test]
async fn a_log_line_of_a_trace_without_a_text_says_what_its_error_was() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let mut events = batch("shop");
    let entry = transaction(&mut events, 1, "a");
    events.events.push(Event::Transaction(entry));
    for (at, rest) in [
        r#"{"message":"hello"}"#,
        r#"{"message":"","error":{"message":"too much","type":"Overflow"}}"#,
        r#"{"error":{"type":"Overflow"}}"#,
    ]
    .into_iter()
    .enumerate()
    {
        let mut line = log(&mut events, 1);
        line.timestamp += at as i64;
        line.message = None;
        line.rest = events.keep(rest);
        events.events.push(Event::Log(line));
    }
    stored(&store, events).await;
    let path = format!("/api/v1/traces/{:032x}?tab=logs", 1);
    let found = json(&store, &path).await;
    let lines = found["log_lines"].as_array().expect("lines");
    let texts: Vec<&str> = lines
        .iter()
        .filter_map(|line| line["message"].as_str())
        .collect();
    assert_eq!(texts, ["hello", "too much", "Overflow"], "{found}");
}

/// Waiting for the writer blocks, which threads that serve connections must not do.
async fn stored(store: &Store, events: Batch) {
    let store = store.clone();
    web::block(move || store_all(&store, events))
        .await
        .expect("a thread");
}
