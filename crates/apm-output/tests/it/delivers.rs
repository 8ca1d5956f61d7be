//! Documents that arrive, and their form.

use std::collections::BTreeMap;

use apm_store::document::document;
use apm_store::{StoreError, events};
use serde_json::Value;

use crate::support::engine::{ELASTICSEARCH, Engine, OPENSEARCH};
use crate::support::{config, feed, lines, start, store, wait};

/// The documents of all events, as Discover shows them, by their numbers.
fn shown(store: &apm_store::Store, last: i64) -> Vec<Value> {
    let seqs: Vec<i64> = (0..=last).collect();
    let found = store.read::<_, StoreError>(|conn| events(conn, &seqs));
    found.expect("readable").iter().map(document).collect()
}

#[test]
fn every_event_arrives_as_the_document_that_discover_shows_in_its_data_stream() {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, store) = (Engine::start(OPENSEARCH), store(dir.path()));
    let count = feed(&store, lines(0, 900));
    assert_eq!(count, 900);
    let output = start(&store, config(&engine));
    wait("all are there", || engine.event_count() == count);
    output.stop();
    let text = |value: &Value| value.to_string();
    let mut sent: Vec<String> = Vec::new();
    for (stream, source) in engine.events().values() {
        let of = &source["data_stream"];
        let name = ["type", "dataset", "namespace"].map(|part| of[part].as_str().expect(part));
        assert_eq!(*stream, name.join("-"));
        sent.push(text(source));
    }
    let mut wanted: Vec<String> = shown(&store, 2000).iter().map(text).collect();
    sent.sort();
    wanted.sort();
    assert_eq!(sent, wanted);
    let stats = output.stats();
    assert_eq!(stats.engine.as_deref(), Some("OpenSearch 2.19"));
}

#[test]
fn events_that_come_later_follow_and_small_loads_are_sent_together() {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, store) = (Engine::start(OPENSEARCH), store(dir.path()));
    let output = start(&store, config(&engine));
    let mut count = 0;
    for round in 0..20 {
        count += feed(&store, lines(round * 40, 37));
    }
    wait("all are there", || engine.event_count() == count);
    wait("nothing waits", || output.stats().lag.events == 0);
    assert_eq!(engine.duplicates(), 0);
    assert!(output.stats().requests < 60, "{:?}", output.stats());
}

#[test]
fn elasticsearch_gets_samples_as_a_list_and_the_namespace_that_is_set() {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, store) = (Engine::start(ELASTICSEARCH), store(dir.path()));
    feed(&store, lines(0, 8));
    let mut config = config(&engine);
    config.set_namespace("shop").expect("a namespace");
    let output = start(&store, config);
    wait("all are there", || engine.event_count() == 8);
    output.stop();
    let mut streams = BTreeMap::<_, Vec<Value>>::new();
    for (stream, source) in engine.events().into_values() {
        streams.entry(stream).or_default().push(source);
    }
    assert_eq!(streams["traces-apm-shop"].len(), 4);
    assert_eq!(streams["logs-apm.error-shop"].len(), 2);
    let metrics = &streams["metrics-apm.app.shop-shop"];
    let sample = &metrics[0]["metricset"]["samples"][0];
    assert_eq!(sample["name"], "my.gauge");
    assert_eq!(sample["type"], "gauge");
    assert!(sample["value"].is_number());
    assert!(metrics[0].get("my").is_none());
    let log = engine.state().log.join("\n");
    assert!(log.contains("require_data_stream=true"), "{log}");
    assert!(!log.contains("_index_template"), "{log}");
}
