//! `log`: a line in ECS form becomes an event, its flat keys nested.

use apm_store::event::{Batch, Event, Log, ServiceOverride};
use serde_json::{Map, Value};

use super::fields::Fields;
use super::schema::{RESERVED, Slot};
use super::timestamp;
use crate::refused::Refused;

/// Flat keys that have a nested form, which wins where both were sent.
const FLAT: [&str; 14] = [
    "log.level",
    "log.logger",
    "log.origin.file.name",
    "log.origin.file.line",
    "log.origin.function",
    "service.name",
    "service.version",
    "service.environment",
    "service.node.name",
    "process.thread.name",
    "event.dataset",
    "error.type",
    "error.message",
    "error.stack_trace",
];

/// Appends the log line to the batch.
pub(super) fn build(fields: &mut Fields<'_>, line: &str, batch: &mut Batch) -> Result<(), Refused> {
    let mut values = serde_json::Deserializer::from_str(line).into_iter::<Value>();
    let mut log = values.next().and_then(Result::ok).unwrap_or_default()["log"].take();
    if let Value::Object(members) = &mut log {
        // Columns hold the first ones; the server itself writes the others.
        for name in ["trace.id", "transaction.id", "span.id"]
            .into_iter()
            .chain(RESERVED)
        {
            members.remove(name);
        }
        if !timestamp::is_wrong(fields, batch) {
            members.remove("@timestamp");
        }
        for name in FLAT {
            if let Some(value) = members.remove(name).filter(|value| !value.is_null()) {
                nest(members, name, value);
            }
        }
    }
    let text = |pointer: &str, batch: &mut Batch| {
        let text = log
            .pointer(pointer)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty());
        text.map(|text| batch.keep(text))
    };
    let timestamp = timestamp::settle(fields, line, batch).unwrap_or(batch.received);
    let id = |slot, batch: &mut Batch| fields.word(slot).map(|id| batch.keep_id(id));
    let event = Log {
        trace_id: id(Slot::TraceId, batch),
        transaction_id: id(Slot::TransactionId, batch),
        span_id: id(Slot::Id, batch),
        service: ServiceOverride {
            name: text("/service/name", batch),
            environment: text("/service/environment", batch),
        },
        timestamp,
        level: text("/log/level", batch),
        logger: text("/log/logger", batch),
        message: text("/message", batch),
        has_error: ["type", "message", "stack_trace"]
            .iter()
            .any(|name| log["error"][name].is_string()),
        rest: batch.keep(&log.to_string()),
    };
    batch.events.push(Event::Log(event));
    Ok(())
}

/// Puts a flat key's value where its nested form has none.
fn nest(members: &mut Map<String, Value>, name: &str, value: Value) {
    let (parents, last) = name.rsplit_once('.').unwrap_or(("", name));
    let mut at = members;
    for parent in parents.split('.') {
        let next = at
            .entry(parent)
            .or_insert_with(|| Value::Object(Map::new()));
        if !next.is_object() {
            *next = Value::Object(Map::new());
        }
        let Value::Object(next) = next else { return };
        at = next;
    }
    // Only a text or a number of the nested form wins: anything else says nothing.
    let taken = at
        .get(last)
        .is_some_and(|nested| nested.is_string() || nested.is_number());
    if !taken {
        at.insert(last.to_owned(), value);
    }
}
