//! Events of agents with a bridge to OpenTelemetry: their attributes are understood as those of OTLP are.

use std::collections::BTreeMap;
use std::sync::Arc;

use apm_store::event::Batch;
use serde_json::{Value, json};

use super::NOW;
use super::documents::{documents, field, flat, same};
use crate::elastic;
use crate::otlp::Export;

/// Fields that an event has only if its attributes, or its other members, say so.
const SAID: [&str; 10] = [
    "labels.",
    "numeric_labels.",
    "url.",
    "destination.",
    "service.target.",
    "span.db.",
    "span.destination.",
    "span.kind",
    "span.action",
    "transaction.result",
];

fn document(kind: &str, members: &Value) -> Value {
    let mut event = json!({
        "id": "00000000000000a1", "trace_id": "000000000000000000000000000000a2", "name": "x",
        "duration": 1.5, "timestamp": NOW,
    });
    match kind {
        "span" => (event["parent_id"], event["type"]) = (json!("00000000000000a3"), json!("app")),
        _ => (event["span_count"], event["type"]) = (json!({"started": 0}), json!("request")),
    }
    for (name, value) in members.as_object().unwrap() {
        event[name] = value.clone();
    }
    let metadata = json!({"metadata": {"service": {"name": "shop", "agent": {"name": "nodejs", "version": "4"}}}});
    let resource = elastic::resource(metadata.to_string().as_bytes(), None).unwrap();
    let mut batch = Batch::new(Arc::new(resource), NOW);
    let line = json!({kind: event}).to_string();
    elastic::event(line.as_bytes(), &mut batch)
        .unwrap_or_else(|refused| panic!("{refused:?}: {line}"));
    let export = Export {
        batches: vec![batch],
        rejected: 0,
        reason: None,
    };
    documents(&export).remove(0)
}

#[test]
fn each_case_of_a_bridge_becomes_the_document_that_is_published() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("bridge.json")).unwrap();
    let mut failures = Vec::new();
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        let kind = if name.starts_with("tx ") {
            "transaction"
        } else {
            "span"
        };
        let document = document(kind, &case["members"]);
        let wanted: BTreeMap<String, Value> =
            serde_json::from_value(case["document"].clone()).unwrap();
        for (path, wanted) in &wanted {
            let met = field(&document, path);
            if !same(met, wanted) {
                failures.push(format!("{name}: {path} is {met} instead of {wanted}"));
            }
        }
        for (path, met) in flat(&document) {
            if SAID.iter().any(|said| path.starts_with(said)) && !wanted.contains_key(&path) {
                failures.push(format!("{name}: {path} is {met}, and should not be there"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_statement_of_a_bridge_is_that_of_the_span() {
    let attributes = json!({
        "db.system.name": "microsoft.sql_server", "db.query.text": "select 1", "db.namespace": "d",
        "http.response.status_code": 404, "shop.id": 7,
    });
    let document = document(
        "span",
        &json!({"otel": {"span_kind": "CLIENT", "attributes": attributes}}),
    );
    for (path, wanted) in [
        ("span.db.statement", json!("select 1")),
        ("span.subtype", json!("mssql")),
        ("service.target.name", json!("d")),
        ("event.outcome", json!("failure")),
        ("http.response.status_code", json!(404)),
        ("attributes.db.system.name", json!("microsoft.sql_server")),
        ("attributes.shop.id", json!(7)),
        ("labels.db_query_text", Value::Null),
    ] {
        assert_eq!(field(&document, path), &wanted, "{path}");
    }
}

#[test]
fn an_agent_cannot_send_the_members_that_the_server_writes() {
    for kind in ["transaction", "span"] {
        let forged = json!({"ecs": {"service.name": "other"}, "attributes": {"a": 1}});
        let document = document(kind, &forged);
        assert_eq!(field(&document, "service.name"), "shop", "{kind}");
        assert_eq!(field(&document, "attributes"), &Value::Null, "{kind}");
    }
}
