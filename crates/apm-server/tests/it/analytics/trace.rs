//! One trace, from the store to the timeline.

use apm_server::analytics::trace::read;
use apm_server::event::Event;
use apm_server::store::StoreError;

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
    let items: Vec<(&str, usize, i64, bool)> = trace
        .items
        .iter()
        .map(|item| (item.name.as_str(), item.depth, item.at, item.is_orphan))
        .collect();
    assert_eq!(items[0], ("GET /a", 0, 0, false));
    assert_eq!(items[1], ("SELECT FROM people", 1, 100, false));
    assert!(items[2].3 && trace.orphans == 1, "{items:?}");
    assert_eq!((trace.start, trace.items[0].duration), (NEW_YEAR, 1500));
    assert_eq!(trace.items[1].statement, "SELECT * FROM people");
    assert_eq!(trace.items[1].destination, "sqlite/people.db");
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
    let items: Vec<(&str, usize)> = trace
        .items
        .iter()
        .map(|item| (item.name.as_str(), item.depth))
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
