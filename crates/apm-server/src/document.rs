//! Events as ECS documents: what Discover shows and `/api/v1` returns.
//!
//! For now the fields that are columns, and of the rest what queries ask for most: HTTP, URL, database,
//! labels, exceptions.

use serde_json::{Map, Value, json};

use crate::event::{Kind, StoredEvent};
use crate::time::rfc3339_millis;

/// The document of an event.
#[must_use]
pub fn document(event: &StoredEvent) -> Value {
    let rest: Value = serde_json::from_str(&event.rest).unwrap_or_default();
    let resource: Value = serde_json::from_str(&event.resource).unwrap_or_default();
    let mut out = Map::new();
    let mut set = |path: &str, value: Value| {
        if !value.is_null() {
            put(&mut out, path, value);
        }
    };
    set("@timestamp", rfc3339_millis(event.timestamp).into());
    let service = &resource["metadata"]["service"];
    for field in [
        "name",
        "version",
        "environment",
        "language",
        "runtime",
        "framework",
    ] {
        set(&format!("service.{field}"), service[field].clone());
    }
    for field in ["name", "version"] {
        set(&format!("agent.{field}"), service["agent"][field].clone());
    }
    let name = match event.kind {
        Kind::Transaction => "transaction",
        Kind::Span => "span",
        Kind::Error => "error",
        Kind::Metricset => "metric",
        Kind::Log => "log",
    };
    if event.kind != Kind::Log {
        set("processor.event", name.into());
    }
    set("trace.id", event.trace_id.clone().into());
    set("parent.id", event.parent_id.clone().into());
    set("transaction.id", event.transaction_id.clone().into());
    set(
        "event.outcome",
        event.outcome.map(|outcome| outcome.as_str()).into(),
    );
    if matches!(event.kind, Kind::Transaction | Kind::Span | Kind::Error) {
        set("timestamp.us", event.timestamp.into());
        set(&format!("{name}.id"), event.id.clone().into());
        set(&format!("{name}.name"), event.name.clone().into());
        set(&format!("{name}.type"), event.event_type.clone().into());
        set(&format!("{name}.subtype"), event.subtype.clone().into());
        set(&format!("{name}.action"), event.action.clone().into());
        set(&format!("{name}.duration.us"), event.duration.into());
        set(&format!("{name}.result"), event.result.clone().into());
        set(&format!("{name}.sampled"), event.sampled.into());
    }
    if event.kind == Kind::Transaction {
        set("span.id", event.id.clone().into());
        set("transaction.span_count.started", event.spans_started.into());
        set("transaction.span_count.dropped", event.spans_dropped.into());
    }
    let stack: Value = event
        .stack
        .as_deref()
        .and_then(|json| serde_json::from_str(json).ok())
        .unwrap_or_default();
    let context = &rest["context"];
    for (from, to) in [
        ("method", "method"),
        ("headers", "headers"),
        ("body", "body.original"),
    ] {
        set(
            &format!("http.request.{to}"),
            context["request"][from].clone(),
        );
    }
    for field in ["status_code", "headers"] {
        set(
            &format!("http.response.{field}"),
            context["response"][field].clone(),
        );
    }
    let url = &context["request"]["url"];
    for (from, to) in [
        ("raw", "original"),
        ("full", "full"),
        ("hostname", "domain"),
        ("pathname", "path"),
        ("search", "query"),
        ("port", "port"),
    ] {
        set(&format!("url.{to}"), url[from].clone());
    }
    if let Value::Object(tags) = &context["tags"] {
        for (key, value) in tags {
            let group = if value.is_number() {
                "numeric_labels"
            } else {
                "labels"
            };
            set(
                &format!("{group}.{}", key.replace(['.', '*', '"'], "_")),
                value.clone(),
            );
        }
    }
    match event.kind {
        Kind::Span => {
            set("url.original", context["http"]["url"].clone());
            set("http.request.method", context["http"]["method"].clone());
            set(
                "http.response.status_code",
                context["http"]["status_code"].clone(),
            );
            for field in ["instance", "statement", "type", "rows_affected"] {
                set(&format!("span.db.{field}"), context["db"][field].clone());
            }
            set(
                "span.destination.service",
                context["destination"]["service"].clone(),
            );
            set("service.target", context["service"]["target"].clone());
            set("span.composite", rest["composite"].clone());
            set("span.stacktrace", stack);
        }
        Kind::Error => {
            let key = event.grouping_key.map(|key| format!("{key:016x}"));
            set("error.grouping_key", key.into());
            set("error.culprit", rest["culprit"].clone());
            let mut log = rest["log"].clone();
            if rest["exception"].is_object() {
                let mut exception = rest["exception"].clone();
                if !stack.is_null() {
                    exception["stacktrace"] = stack;
                }
                set("error.exception", json!([exception]));
            } else if log.is_object() && !stack.is_null() {
                log["stacktrace"] = stack;
            }
            let message = [&log["message"], &rest["exception"]["message"]];
            set(
                "message",
                message
                    .into_iter()
                    .find(|text| text.is_string())
                    .cloned()
                    .unwrap_or_default(),
            );
            set("error.log", log);
            set("transaction.name", rest["transaction"]["name"].clone());
            set("transaction.type", rest["transaction"]["type"].clone());
        }
        Kind::Metricset => {
            if let Value::Object(samples) = &rest["samples"] {
                for (name, sample) in samples {
                    set(name, sample["value"].clone());
                }
            }
        }
        Kind::Log => {
            if let Value::Object(fields) = &rest {
                for (name, value) in fields {
                    set(name, value.clone());
                }
            }
        }
        Kind::Transaction => {}
    }
    Value::Object(out)
}

fn put(out: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => _ = out.insert(path.to_owned(), value),
        Some((head, tail)) => {
            let inner = out.entry(head).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                put(inner, tail, value);
            }
        }
    }
}
