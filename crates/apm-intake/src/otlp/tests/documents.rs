//! From decoded events to documents, as the store makes them.

use std::collections::BTreeMap;

use apm_store::document::document;
use apm_store::event::{Batch, Event, Id, Kind, StoredEvent};
use serde_json::Value;

use crate::otlp::Export;

/// A file beside the project; `None`, with a line that says so, where it is missing.
pub(super) fn fixture(name: &str) -> Option<Vec<u8>> {
    let path = test_support::shared(&format!("otlp/{name}"))?;
    Some(std::fs::read(path).expect("a fixture can be read"))
}

/// The documents of a body.
pub(super) fn documents(export: &Export) -> Vec<Value> {
    let events = export
        .batches
        .iter()
        .flat_map(|batch| batch.events.iter().map(move |event| (batch, event)));
    events
        .map(|(batch, event)| document(&stored(batch, event)))
        .collect()
}

fn stored(batch: &Batch, event: &Event) -> StoredEvent {
    let text = |text| batch.opt(text).map(str::to_owned);
    let id = |id: Option<Id>| id.map(|id| batch.id(id));
    let empty = StoredEvent {
        timestamp: event.timestamp(),
        ..StoredEvent::bare(
            Kind::Log,
            batch.resource.document.as_str().into(),
            batch.text(event.rest()).to_owned(),
        )
    };
    match event {
        Event::Transaction(event) => StoredEvent {
            kind: Kind::Transaction,
            id: id(Some(event.id)),
            trace_id: id(Some(event.trace_id)),
            parent_id: id(event.parent_id),
            duration: Some(event.duration),
            name: text(event.name),
            event_type: text(Some(event.kind)),
            result: text(event.result),
            outcome: Some(event.outcome),
            sampled: Some(event.sampled),
            sample_rate: event.sample_rate,
            ..empty
        },
        Event::Span(event) => StoredEvent {
            kind: Kind::Span,
            id: id(Some(event.id)),
            trace_id: id(Some(event.trace_id)),
            transaction_id: id(event.transaction_id),
            parent_id: id(Some(event.parent_id)),
            duration: Some(event.duration),
            name: text(Some(event.name)),
            event_type: text(Some(event.kind)),
            subtype: text(event.subtype),
            action: text(event.action),
            outcome: Some(event.outcome),
            sample_rate: event.sample_rate,
            ..empty
        },
        Event::Error(event) => StoredEvent {
            kind: Kind::Error,
            id: id(Some(event.id)),
            trace_id: id(event.trace_id),
            transaction_id: id(event.transaction_id),
            parent_id: id(event.parent_id),
            grouping_key: Some(event.grouping_key),
            stack: event.stack.map(|stack| batch.text(stack).to_owned()),
            ..empty
        },
        Event::Metricset(_) => StoredEvent {
            kind: Kind::Metricset,
            ..empty
        },
        Event::Log(event) => StoredEvent {
            kind: Kind::Log,
            id: id(event.span_id),
            trace_id: id(event.trace_id),
            transaction_id: id(event.transaction_id),
            ..empty
        },
    }
}

/// A field by its dotted path; null where there is none.
pub(super) fn field<'a>(document: &'a Value, path: &str) -> &'a Value {
    if let Some(value) = document.get(path) {
        return value;
    }
    let dots = path.match_indices('.').map(|(at, _)| at);
    let below = dots.filter_map(|at| Some(field(document.get(&path[..at])?, &path[at + 1..])));
    below
        .into_iter()
        .find(|value| !value.is_null())
        .unwrap_or(&Value::Null)
}

/// Whether two values are the same, whether or not numbers are written with a fraction.
pub(super) fn same(met: &Value, wanted: &Value) -> bool {
    match (met, wanted) {
        (Value::Number(met), Value::Number(wanted)) => met.as_f64() == wanted.as_f64(),
        (Value::Array(met), Value::Array(wanted)) => {
            met.len() == wanted.len()
                && met
                    .iter()
                    .zip(wanted)
                    .all(|(met, wanted)| same(met, wanted))
        }
        (Value::Object(met), Value::Object(wanted)) => {
            let of = |name| met.get(name).unwrap_or(&Value::Null);
            met.len() == wanted.len() && wanted.iter().all(|(name, wanted)| same(of(name), wanted))
        }
        (met, wanted) => met == wanted,
    }
}

/// The fields of a document by their dotted paths; arrays as they are.
pub(super) fn flat(document: &Value) -> BTreeMap<String, Value> {
    fn add(value: &Value, path: String, out: &mut BTreeMap<String, Value>) {
        match value {
            Value::Object(members) if !path.is_empty() && members.contains_key("counts") => {
                out.insert(path, value.clone());
            }
            Value::Object(members) => {
                for (name, value) in members {
                    let dot = if path.is_empty() { "" } else { "." };
                    add(value, format!("{path}{dot}{name}"), out);
                }
            }
            value => _ = out.insert(path, value.clone()),
        }
    }
    let mut out = BTreeMap::new();
    add(document, String::new(), &mut out);
    out
}
