//! `error`: what was found becomes an event.
//!
//! Errors are rare, and their key needs the whole tree of exceptions: so, other than transactions and spans,
//! they are read into a value.

use apm_store::event::{Batch, ErrorEvent, Event};
use serde_json::{Map, Value};

use super::columns::{keep, service};
use super::fields::{Fields, Kind, Violation};
use super::schema::{RESERVED, Slot};
use super::{grouping, timestamp};
use crate::hash::hash;
use crate::refused::Refused;

/// Appends the error to the batch.
pub(super) fn build(fields: &mut Fields<'_>, line: &str, batch: &mut Batch) -> Result<(), Refused> {
    if let Some(kind) = missing(fields) {
        return Err(Refused::invalid(Violation {
            path: vec!["error"],
            kind,
        }));
    }
    let mut error: Value = first(line);
    let mut error = error["error"].take();
    let grouping_key = grouping::key(&error);
    let trace = take_stack(&mut error);
    if let Value::Object(members) = &mut error {
        // Columns hold the first ones; the server itself writes the others.
        for name in ["id", "trace_id", "parent_id", "transaction_id"]
            .into_iter()
            .chain(RESERVED)
        {
            members.remove(name);
        }
        if !timestamp::is_wrong(fields, batch) {
            members.remove("timestamp");
        }
    }
    if let (Value::Object(members), Some(visitor)) = (&mut error, &batch.visitor) {
        let visitor = serde_json::from_str::<Map<_, _>>(&format!("{{{visitor}}}"));
        members.extend(visitor.unwrap_or_default());
    }
    let stack = trace.map(|json| batch.keep_stack(&json, hash(&json)));
    let timestamp = timestamp::settle(fields, line, batch).unwrap_or(batch.received);
    let id = |slot, batch: &mut Batch| fields.word(slot).map(|id| batch.keep_id(id));
    let message = fields
        .word(Slot::LogMessage)
        .or_else(|| fields.word(Slot::ExceptionMessage));
    let event = ErrorEvent {
        id: batch.keep_id(fields.text(Slot::Id).unwrap_or_default()),
        trace_id: id(Slot::TraceId, batch),
        transaction_id: id(Slot::TransactionId, batch),
        parent_id: id(Slot::ParentId, batch),
        service: service(fields, batch),
        timestamp,
        grouping_key,
        kind: keep(fields, Slot::ExceptionType, batch),
        message: message.map(|message| batch.keep(message)),
        culprit: keep(fields, Slot::Culprit, batch),
        handled: fields.bool(Slot::ExceptionHandled),
        transaction_name: keep(fields, Slot::TransactionName, batch),
        transaction_kind: keep(fields, Slot::TransactionType, batch),
        stack,
        rest: batch.keep(&error.to_string()),
    };
    batch.events.push(Event::Error(event));
    Ok(())
}

/// The first JSON value of a line that was read before.
fn first(line: &str) -> Value {
    let mut values = serde_json::Deserializer::from_str(line).into_iter();
    values.next().and_then(Result::ok).unwrap_or_default()
}

/// Of trace, parent and transaction, each asks for others.
fn missing(fields: &Fields<'_>) -> Option<Kind> {
    let is_set = |slot| fields.text(slot).is_some();
    let asks = |by: Slot, with, of: Slot, name| {
        (is_set(by) && !is_set(of)).then_some(Kind::RequiredWith(name, with))
    };
    asks(
        Slot::TransactionId,
        "transaction_id",
        Slot::ParentId,
        "parent_id",
    )
    .or_else(|| asks(Slot::TraceId, "trace_id", Slot::ParentId, "parent_id"))
    .or_else(|| {
        asks(
            Slot::TransactionId,
            "transaction_id",
            Slot::TraceId,
            "trace_id",
        )
    })
    .or_else(|| asks(Slot::ParentId, "parent_id", Slot::TraceId, "trace_id"))
}

/// The stack trace that is stored apart: the exception's, or the log message's where there is no exception.
fn take_stack(error: &mut Value) -> Option<String> {
    let holder = if error["exception"].is_object() {
        "exception"
    } else {
        "log"
    };
    let members: &mut Map<_, _> = error.get_mut(holder)?.as_object_mut()?;
    let trace = members.remove("stacktrace")?;
    trace
        .as_array()
        .is_some_and(|frames| !frames.is_empty())
        .then(|| trace.to_string())
}
