use std::sync::Arc;

use serde_json::{Value, json};

use super::document;
use crate::event::{Kind, StoredEvent};

/// An event of a service `s` that holds nothing but `rest`.
fn event(kind: Kind, rest: &Value) -> StoredEvent {
    let sender = json!({
        "service": {"name": "s", "agent": {"name": "go", "version": "1"}},
        "system": {"hostname": "h"},
    });
    let resource = Arc::from(json!({"metadata": sender}).to_string());
    StoredEvent {
        seq: 1,
        timestamp: 1_000_000,
        ..StoredEvent::bare(kind, resource, rest.to_string())
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

#[test]
fn metrics_beside_those_of_agents_are_the_service_s_own() {
    for (names, dataset) in [
        (&["golang.goroutines", "jvm.gc.time"][..], "apm.internal"),
        (&["golang.custom.mine"], "apm.app.s"),
        (&["jvm.mine"], "apm.app.s"),
        (&["golang.goroutines", "mine"], "apm.app.s"),
        (&["system.process.cgroup.cpu.id"], "apm.app.s"),
    ] {
        assert_eq!(
            metrics(names)["data_stream"]["dataset"],
            dataset,
            "{names:?}"
        );
    }
}

#[test]
fn the_name_of_a_data_stream_has_no_capital_letter_of_any_script() {
    for (service, dataset) in [
        ("My App:1-a", "apm.app.my_app_1_a".to_owned()),
        ("ÜBER Dienst", "apm.app.über_dienst".to_owned()),
        ("ОШИБКА", "apm.app.ошибка".to_owned()),
        ("İ", "apm.app.i\u{307}".to_owned()),
        (&*"É".repeat(60), format!("apm.app.{}", "é".repeat(46))),
    ] {
        let line = json!({"message": "here", "service": {"name": service}});
        let fields = document(&event(Kind::Log, &line));
        let found = fields["data_stream"]["dataset"].as_str().expect("a text");
        assert_eq!(found, dataset, "{fields}");
        assert_eq!(found.to_lowercase(), found);
    }
}

#[test]
fn a_log_line_with_an_error_is_an_error_of_the_group_of_those_without_stack() {
    let fields = document(&event(Kind::Log, &json!({"error": {"message": "gone"}})));
    assert_eq!(fields["processor"]["event"], "error");
    assert_eq!(fields["error"]["grouping_key"], "ef46db3751d8e999");
    assert_eq!(fields["timestamp"]["us"], 1_000_000);
    assert!(
        fields
            .get("event")
            .is_none_or(|event| event.get("kind").is_none())
    );
    let plain = document(&event(Kind::Log, &json!({"message": "here"})));
    assert_eq!(plain["event"]["kind"], "event");
    assert!(plain.get("error").is_none() && plain.get("timestamp").is_none());
}

#[test]
fn a_target_has_a_type_be_it_none() {
    for (kind, context, target) in [
        (
            Kind::Span,
            json!({"service": {"target": {"type": ""}}}),
            json!({"type": ""}),
        ),
        (
            Kind::Transaction,
            json!({"service": {"target": {"name": "n"}}}),
            json!({"type": "", "name": "n"}),
        ),
        (
            Kind::Span,
            json!({
                "service": {"target": {"type": "", "name": "n"}},
                "destination": {"service": {"resource": "mysql/db"}},
            }),
            json!({"type": "", "name": "n"}),
        ),
        (
            Kind::Span,
            json!({"destination": {"service": {"resource": "mysql/db"}}}),
            json!({"type": "mysql", "name": "db"}),
        ),
        (Kind::Span, json!({"service": {"target": {}}}), Value::Null),
    ] {
        let fields = document(&event(kind, &json!({"context": context})));
        assert_eq!(fields["service"]["target"], target, "{context}");
    }
}
