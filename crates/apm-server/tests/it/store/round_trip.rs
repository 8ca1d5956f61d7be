//! Stored events are read back.

use apm_store::event::{Event, Id, Kind, Outcome};
use apm_store::{StoreError, events, trace};

use super::{number, open};
use crate::support::events::{NEW_YEAR, batch, error, log, metricset, pairs, span, transaction};

#[test]
fn a_trace_is_read_back_whole_after_its_commit() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let mut sent = batch("shop");
    let mut event = transaction(&mut sent, 1, "a");
    event.parent_id = Some(sent.keep_id("not hex at all"));
    sent.events.push(Event::Transaction(event));
    let event = span(&mut sent, 1, "select * from people where id = 1");
    sent.events.push(Event::Span(event));
    let event = error(&mut sent, 1);
    sent.events.push(Event::Error(event));
    let event = log(&mut sent, 1);
    sent.events.push(Event::Log(event));
    let event = transaction(&mut sent, 2, "b");
    sent.events.push(Event::Transaction(event));
    let before = store.data_version();
    let committed = store.submit(sent).expect("room").wait().expect("stored");
    assert_eq!(committed.events, 5);
    assert!(committed.data_version > before);
    assert_eq!(store.data_version(), committed.data_version);

    let id = format!("{:032x}", 1);
    let found = store
        .read::<_, StoreError>(|conn| trace(conn, &id))
        .expect("a trace");
    let kinds: Vec<Kind> = found.iter().map(|event| event.kind).collect();
    assert_eq!(
        kinds,
        [Kind::Transaction, Kind::Span, Kind::Error, Kind::Log]
    );
    let tx = &found[0];
    assert_eq!(tx.id.as_deref(), Some("0000000000000001"));
    assert_eq!(tx.trace_id.as_deref(), Some(id.as_str()));
    assert_eq!(tx.parent_id.as_deref(), Some("not hex at all"));
    assert_eq!((tx.timestamp, tx.duration), (NEW_YEAR, Some(1500)));
    assert_eq!(tx.name.as_deref(), Some("GET /a"));
    assert_eq!(tx.event_type.as_deref(), Some("request"));
    assert_eq!(tx.result.as_deref(), Some("HTTP 2xx"));
    assert_eq!(tx.outcome, Some(Outcome::Success));
    assert_eq!((tx.sampled, tx.sample_rate), (Some(true), Some(1.0)));
    assert_eq!((tx.spans_started, tx.spans_dropped), (Some(1), None));
    assert_eq!(tx.rest, r#"{"context":{"number":1}}"#);
    assert_eq!(&*tx.resource, r#"{"metadata":{"service":{"name":"shop"}}}"#);
    let span = &found[1];
    assert_eq!(span.subtype.as_deref(), Some("sqlite"));
    assert_eq!(
        span.stack.as_deref(),
        Some(r#"[{"filename":"main.rs","lineno":7}]"#)
    );
    assert_eq!(found[2].grouping_key, Some(0xef46_db37_51d8_e999));

    let seqs = [found[3].seq, tx.seq, 1_000_000];
    let some = store
        .read::<_, StoreError>(|conn| events(conn, &seqs))
        .expect("events");
    assert_eq!(some, [found[3].clone(), tx.clone()]);
}

#[test]
fn an_event_can_be_read_at_every_fill_of_a_block_and_after_a_restart() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut store = open(dir.path());
    for round in 0..90 {
        store
            .submit(pairs("shop", round * 2, 2))
            .expect("room")
            .wait()
            .expect("stored");
        if round % 40 == 39 {
            drop(store);
            store = open(dir.path());
        }
        let id = format!("{:032x}", round * 2 + 1);
        let found = store
            .read::<_, StoreError>(|conn| trace(conn, &id))
            .expect("a trace");
        assert_eq!(found.len(), 2, "round {round}");
        assert_eq!(found[1].rest, format!(r#"{{"span":{}}}"#, round * 2 + 1));
    }
    assert_eq!(number(&store, "SELECT count(*) AS n FROM tx"), 180);
    assert_eq!(number(&store, "SELECT sum(events) AS n FROM block"), 360);
    assert_eq!(number(&store, "SELECT count(*) AS n FROM stack"), 1);
    assert_eq!(number(&store, "SELECT count(*) AS n FROM statement"), 1);
    assert_eq!(number(&store, "SELECT count(*) AS n FROM v_spans"), 180);
    assert_eq!(
        number(
            &store,
            "SELECT CAST(sum(calls) AS INTEGER) AS n FROM v_statements"
        ),
        180
    );
}

#[test]
fn a_large_batch_and_large_documents_keep_their_places() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let mut sent = batch("shop");
    for number in 0..300 {
        let mut event = transaction(&mut sent, number, "a");
        let filler = "x".repeat(usize::try_from(number % 7).expect("small") * 100_000);
        event.rest = sent.keep(&format!(r#"{{"n":{number},"filler":"{filler}"}}"#));
        sent.events.push(Event::Transaction(event));
    }
    store.submit(sent).expect("room").wait().expect("stored");
    for number in 0..300 {
        let found = store
            .read::<_, StoreError>(|conn| trace(conn, &format!("{number:032x}")))
            .expect("a trace");
        assert_eq!(found.len(), 1);
        assert!(found[0].rest.starts_with(&format!(r#"{{"n":{number},"#)));
    }
}

#[test]
fn ids_of_any_form_are_found_and_told_apart() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let ids = [
        "00000000000000AB",
        "00000000000000ab",
        "trace one",
        "ž",
        "ab",
    ];
    let mut sent = batch("shop");
    for id in ids {
        let mut event = transaction(&mut sent, 1, "a");
        event.trace_id = sent.keep_id(id);
        assert!(id != "00000000000000ab" || event.trace_id == Id::Short(0xab));
        sent.events.push(Event::Transaction(event));
    }
    store.submit(sent).expect("room").wait().expect("stored");
    for id in ids {
        let found = store
            .read::<_, StoreError>(|conn| trace(conn, id))
            .expect("a trace");
        assert_eq!(found.len(), 1, "{id}");
        assert_eq!(found[0].trace_id.as_deref(), Some(id));
    }
}

#[test]
fn samples_and_views_show_what_was_sent() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let mut sent = batch("shop");
    for value in [1.0, 2.5] {
        let event = metricset(&mut sent, value);
        sent.events.push(Event::Metricset(event));
    }
    let event = error(&mut sent, 1);
    sent.events.push(Event::Error(event));
    store.submit(sent).expect("room").wait().expect("stored");
    let metrics = "SELECT CAST(sum(value) * 10 AS INTEGER) AS n FROM v_metrics WHERE metric = 'system.memory.total'";
    assert_eq!(number(&store, metrics), 35);
    let errors = "SELECT count(*) AS n FROM v_errors WHERE grouping_key = 'ef46db3751d8e999' AND type = 'Overflow'";
    assert_eq!(number(&store, errors), 1);
}
