use std::sync::Arc;

use serde_json::{Value, json};

use super::document;
use crate::event::{Kind, StoredEvent};

/// An event of a service `s` that holds nothing but `rest`.
fn event(kind: Kind, rest: &Value) -> StoredEvent {
    let service = json!({"name": "s", "agent": {"name": "go", "version": "1"}});
    StoredEvent {
        seq: 1,
        kind,
        resource: Arc::from(json!({"metadata": {"service": service}}).to_string()),
        id: None,
        trace_id: None,
        transaction_id: None,
        parent_id: None,
        timestamp: 1_000_000,
        duration: None,
        name: None,
        event_type: None,
        subtype: None,
        action: None,
        result: None,
        outcome: None,
        sampled: None,
        sample_rate: None,
        spans_started: None,
        spans_dropped: None,
        grouping_key: None,
        rest: rest.to_string(),
        stack: None,
    }
}

fn metrics(names: &[&str]) -> Value {
    let samples: serde_json::Map<_, _> = names
        .iter()
        .map(|name| ((*name).to_owned(), json!({"value": 7})))
        .collect();
    document(&event(Kind::Metricset, &json!({"samples": samples})))
}

#[test]
fn a_sample_named_as_a_field_damages_no_document() {
    let plain = metrics(&["other"]);
    let names = [
        "@timestamp",
        "agent.name",
        "data_stream",
        "data_stream.type",
        "event",
        "host.name",
        "kubernetes.node.name",
        "metricset",
        "processor.event",
        "service",
        "service.name.first",
        "service.node.name",
    ];
    let Value::Object(fields) = metrics(&names) else {
        panic!("a document is an object");
    };
    for (name, value) in plain.as_object().expect("an object") {
        if !matches!(name.as_str(), "metricset" | "other") {
            assert_eq!(fields.get(name), Some(value), "{name}");
        }
    }
    let kept = &fields["metricset"]["samples"];
    for name in ["@timestamp", "agent.name", "data_stream", "service"] {
        assert_eq!(kept[name], 7, "{name}");
    }
    assert_eq!(fields["metricset"]["name"], "app");
    assert_eq!(fields["service.name.first"], 7);
    assert_eq!(fields["kubernetes"]["node"]["name"], 7);
}

#[test]
fn names_of_metrics_nest() {
    let fields = metrics(&["system.cpu.total.norm.pct", "service.calls"]);
    assert_eq!(fields["system"]["cpu"]["total"]["norm"]["pct"], 7);
    assert_eq!(fields["service"]["calls"], 7);
    assert!(fields["metricset"].get("samples").is_none());
}

#[test]
fn a_name_of_twenty_thousand_dots_does_not_nest() {
    let name = vec!["a"; 20_001].join(".");
    assert_eq!(metrics(&[&name])[&name], 7);
}
