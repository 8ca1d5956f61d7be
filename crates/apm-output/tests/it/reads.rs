//! Events that are read back from the engine.

use apm_output::{Events, OfTraces};
use apm_store::document::{document, sent};
use apm_store::event::StoredEvent;
use apm_store::{StoreError, scratch};
use serde_json::{Value, json};

use crate::support::engine::{Engine, OPENSEARCH};
use crate::support::{batches, config, feed, feed_as, lines, start, store, wait};

/// A trace with as much as agents send.
const RICH: &str = include_str!("reads/rich.ndjson");

/// Fields that are of the event's way here, and not of the event.
const OF_HERE: [&str; 2] = ["observer", "ecs"];

fn plain(mut document: Value) -> Value {
    for field in OF_HERE {
        document.as_object_mut().expect("an object").remove(field);
    }
    document
}

fn stored(conn: &mut diesel::SqliteConnection) -> Vec<StoredEvent> {
    let seqs: Vec<i64> = (0..1000).collect();
    apm_store::events(conn, &seqs).expect("readable")
}

#[test]
fn a_document_becomes_the_event_that_it_was_made_of() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = store(dir.path());
    let count = feed_as(&store, RICH, false);
    let events = store
        .read::<_, StoreError>(|conn| Ok(stored(conn)))
        .expect("readable");
    assert_eq!(events.len(), count);
    let mut back = Vec::new();
    for event in &events {
        let sent = sent(&document(event)).expect("of an event");
        // A request has one sender.
        back.extend(batches(&format!(
            "{}
{}
",
            sent.metadata, sent.event
        )));
    }
    let mut memory = scratch(&back).expect("in memory");
    let again = stored(&mut memory);
    assert_eq!(again.len(), count);
    for (event, again) in events.iter().zip(&again) {
        let (again_shown, shown) = (plain(document(again)), plain(document(event)));
        for (field, value) in shown.as_object().expect("an object") {
            assert_eq!(again_shown[field], *value, "{field}");
        }
        assert_eq!(again_shown, shown);
        // The parts that columns are made of, too.
        let columns = |event: &StoredEvent| {
            json!([
                event.kind.as_str(),
                event.id,
                event.trace_id,
                event.transaction_id,
                event.parent_id,
                event.duration,
                event.name,
                event.event_type,
                event.subtype,
                event.action,
                event.result,
                event.sampled,
                // A document does not tell a rate of 1 from none; both weigh the same.
                event.sample_rate.unwrap_or(1.0),
                event.spans_started,
                event.spans_dropped,
                event.grouping_key
            ])
        };
        assert_eq!(columns(again), columns(event));
    }
}

#[test]
fn events_are_found_by_their_trace_with_the_store_that_sent_them() {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, store) = (Engine::start(OPENSEARCH), store(dir.path()));
    feed(&store, lines(0, 40));
    let output = start(&store, config(&engine));
    wait("all are there", || engine.event_count() == 40);
    let found = output
        .events(Events::Trace(format!("{:032x}", 4)))
        .expect("an answer");
    assert_eq!(found.documents.len(), 2, "a transaction and its span");
    let mut numbers: Vec<i64> = found
        .documents
        .iter()
        .map(|found| found.origin.as_ref().expect("ours").1)
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [4, 5]);
    output.stop();
    let ended = output.events(Events::Trace("x".to_owned()));
    assert!(ended.is_err_and(|why| why.contains("ended")));
}

#[test]
fn an_engine_that_is_away_is_told_within_the_time_of_a_page() {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, store) = (Engine::start(OPENSEARCH), store(dir.path()));
    engine.state().credential = Some("another".to_owned());
    let output = start(&store, config(&engine));
    let begun = std::time::Instant::now();
    let found = output.events(Events::Trace("x".to_owned()));
    assert!(found.is_err(), "{found:?}");
    assert!(begun.elapsed().as_secs() < 8);
}

#[test]
fn a_page_has_the_newest_documents_and_counts_those_of_all_pages() {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, store) = (Engine::start(OPENSEARCH), store(dir.path()));
    let at = |second: u64| (1_769_860_800 + second) * 1_000_000;
    feed(
        &store,
        (0..90).map(|n| {
            format!(
                r#"{{"transaction":{{"id":"{n:016x}","trace_id":"{n:032x}","name":"a","type":"request","duration":1,
                "timestamp":{},"span_count":{{"started":0}}}}}}"#,
                at(n)
            )
            .replace('\n', "")
        }),
    );
    let output = start(&store, config(&engine));
    wait("all are there", || engine.event_count() == 90);
    let page = |until: Option<u64>, most| {
        let found = output.events(Events::Page {
            query: json!({"bool": {"filter": [{"term": {"processor.event": "transaction"}}]}}),
            narrow: None,
            until: until.map(|second| (at(second) / 1000).cast_signed()),
            most,
            interval: Some(60),
            by: None,
        });
        found.expect("an answer")
    };
    let numbers = |found: &apm_output::Found| -> Vec<i64> {
        let origins = found.documents.iter().map(|found| found.origin.clone());
        origins.map(|origin| origin.expect("ours").1).collect()
    };
    let minute = (at(0) / 1_000_000).cast_signed();
    let first = page(None, 3);
    assert_eq!(numbers(&first), [89, 88, 87]);
    assert!(first.has_more);
    let counts = [(minute, 60), (minute + 60, 30)];
    assert_eq!(first.counts, counts);
    let last = page(Some(1), 3);
    assert_eq!(numbers(&last), [1, 0]);
    assert!(!last.has_more);
    assert_eq!(last.counts, counts);
}

#[test]
fn counts_by_a_field_are_of_all_documents_also_where_the_page_is_narrowed() {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, store) = (Engine::start(OPENSEARCH), store(dir.path()));
    let at = |second: u64| (1_769_860_800 + second) * 1_000_000;
    let level = |n: u64| match n % 3 {
        0 => r#""log.level":"ERROR","#,
        1 => r#""log.level":"info","#,
        _ => "",
    };
    feed(
        &store,
        (0..90).map(|n| {
            format!(
                r#"{{"log":{{{}"message":"line {n}","@timestamp":{}}}}}"#,
                level(n),
                at(n)
            )
        }),
    );
    let output = start(&store, config(&engine));
    wait("all are there", || engine.event_count() == 90);
    let found = output.events(Events::Page {
        query: json!({"bool": {"must_not": [{"exists": {"field": "processor.event"}}]}}),
        narrow: Some(json!({"term": {"log.level": "ERROR"}})),
        until: Some((at(86) / 1000).cast_signed()),
        most: 2,
        interval: Some(60),
        by: Some("log.level"),
    });
    let found = found.expect("an answer");
    let lines = found
        .documents
        .iter()
        .map(|found| found.document["message"].clone());
    assert_eq!(lines.collect::<Vec<_>>(), ["line 84", "line 81"]);
    let minute = (at(0) / 1_000_000).cast_signed();
    let counts = [
        (minute, String::new(), 20),
        (minute, "ERROR".to_owned(), 20),
        (minute, "info".to_owned(), 20),
        (minute + 60, String::new(), 10),
        (minute + 60, "ERROR".to_owned(), 10),
        (minute + 60, "info".to_owned(), 10),
    ];
    assert_eq!(found.values, counts);
    assert_eq!(found.counts, [(minute, 60), (minute + 60, 30)]);
}

#[test]
fn documents_are_grouped_by_a_field_with_their_durations() {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, store) = (Engine::start(OPENSEARCH), store(dir.path()));
    feed(&store, lines(0, 40));
    let output = start(&store, config(&engine));
    wait("all are there", || engine.event_count() == 40);
    let grouped = |field: &str, most| {
        let found = output.events(Events::Groups {
            query: json!({"match_all": {}}),
            field: field.to_owned(),
            most,
        });
        found.expect("an answer").groups
    };
    let kinds = grouped("processor.event", 3);
    let counts: Vec<_> = kinds
        .groups
        .iter()
        .map(|one| (one.value.as_deref(), one.count))
        .collect();
    assert_eq!(
        counts,
        [
            (Some("error"), 10),
            (Some("metric"), 10),
            (Some("span"), 10)
        ]
    );
    assert_eq!(kinds.other, 10);
    assert_eq!((kinds.groups[2].timed, kinds.groups[0].timed), (10, 0));
    assert!((kinds.groups[2].duration - 20_000.0).abs() < 1.0);
    assert!((kinds.groups[2].longest - 2000.0).abs() < 1.0);
    let names = grouped("span.name", 10);
    let counts: Vec<_> = names
        .groups
        .iter()
        .map(|one| (one.value.as_deref(), one.count))
        .collect();
    assert_eq!(counts, [(Some("SELECT"), 10), (None, 30)]);
}

/// Three transactions in two traces: 1 of 10 ms, and 2 of 200 ms, of which one failed, half a minute later.
fn three() -> Vec<String> {
    let of = |n: u64, trace: u64, second: u64, duration: u64, outcome: &str| {
        format!(
            r#"{{"transaction":{{"id":"{n:016x}","trace_id":"{trace:032x}","name":"a","type":"request",
            "duration":{duration},"timestamp":{},"outcome":"{outcome}","span_count":{{"started":0}}}}}}"#,
            (1_769_860_800 + second) * 1_000_000
        )
        .replace('\n', "")
    };
    vec![
        of(1, 1, 0, 10, "success"),
        of(2, 2, 30, 200, "success"),
        of(3, 2, 31, 200, "failure"),
    ]
}

#[test]
fn traces_are_found_once_each_and_by_their_durations() {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, store) = (Engine::start(OPENSEARCH), store(dir.path()));
    feed(&store, three());
    let output = start(&store, config(&engine));
    wait("all are there", || engine.event_count() == 3);
    let asked = |what| {
        let query = json!({"bool": {"filter": [{"term": {"processor.event": "transaction"}}]}});
        output
            .events(Events::OfTraces { query, what })
            .expect("an answer")
    };
    let ids = |found: &apm_output::Found| -> Vec<String> {
        let documents = found.documents.iter();
        let ids = documents.map(|found| found.document["transaction"]["id"].as_str());
        ids.map(|id| id.expect("an id").trim_start_matches('0').to_owned())
            .collect()
    };
    let fields = vec!["transaction.id".to_owned()];
    let newest = asked(OfTraces::Newest {
        until: None,
        most: 10,
        fields: fields.clone(),
    });
    assert_eq!(ids(&newest), ["3", "1"]);
    assert_eq!((newest.total, newest.has_more), (Some(2), false));
    let earlier = asked(OfTraces::Newest {
        until: Some(1_769_860_830_000),
        most: 10,
        fields: fields.clone(),
    });
    assert_eq!(ids(&earlier), ["2", "1"]);
    assert_eq!(
        ids(&asked(OfTraces::Oldest { most: 10, fields })),
        ["1", "2"]
    );
    let slowest = asked(OfTraces::Ranked {
        is_ascending: false,
        most: 2,
    });
    assert_eq!((slowest.total, slowest.has_more), (Some(3), true));
    assert!(!ids(&slowest).contains(&"1".to_owned()));
    let start = 1_769_860_800_000_000;
    let found = asked(OfTraces::Durations {
        range: (start, start + 60_000_000),
        columns: 2,
        borders: vec![10_000, 20_000, 100_000],
    });
    let cells: Vec<_> = found
        .durations
        .iter()
        .map(|one| (one.start as i64, one.least, one.count, one.failed))
        .collect();
    let wanted = [(start, 10_000, 1, 0), (start + 30_000_000, 100_000, 2, 1)];
    assert_eq!(cells, wanted);
}
