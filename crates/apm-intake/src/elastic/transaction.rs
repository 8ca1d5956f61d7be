//! `transaction`: what was found becomes an event.

use apm_store::event::{Batch, DroppedSpans, Event, Outcome, Transaction};

use super::columns::{microseconds, service};
use super::fields::Fields;
use super::rest::keep_rest;
use super::schema::Slot;
use super::timestamp::settle;
use crate::refused::Refused;

/// Appends the transaction to the batch.
pub(super) fn build(fields: &mut Fields<'_>, line: &str, batch: &mut Batch) -> Result<(), Refused> {
    let status = fields.int(Slot::Status);
    let outcome = fields.outcome().unwrap_or(match status {
        Some(500..) => Outcome::Failure,
        Some(_) => Outcome::Success,
        None => Outcome::Unknown,
    });
    let first = u32::try_from(batch.dropped.len()).expect("a batch is small");
    for dropped in std::mem::take(&mut fields.dropped) {
        let dropped = DroppedSpans {
            resource: dropped.resource.map(|text| batch.keep(&text)),
            target_type: dropped.target_type.map(|text| batch.keep(&text)),
            target_name: dropped.target_name.map(|text| batch.keep(&text)),
            outcome: dropped.outcome,
            count: dropped.count,
            sum: dropped.sum,
        };
        batch.dropped.push(dropped);
    }
    let event = Transaction {
        id: batch.keep_id(fields.text(Slot::Id).unwrap_or_default()),
        trace_id: batch.keep_id(fields.text(Slot::TraceId).unwrap_or_default()),
        parent_id: fields.word(Slot::ParentId).map(|id| batch.keep_id(id)),
        service: service(fields, batch),
        timestamp: settle(fields, line, batch).unwrap_or(batch.received),
        duration: microseconds(fields.number(Slot::Duration).unwrap_or_default()),
        name: fields.word(Slot::Name).map(|name| batch.keep(name)),
        kind: batch.keep(fields.word(Slot::Type).unwrap_or("unknown")),
        result: fields.word(Slot::Result).map(|result| batch.keep(result)),
        outcome,
        sampled: fields.bool(Slot::Sampled).unwrap_or(true),
        sample_rate: fields.number(Slot::SampleRate),
        status,
        spans_started: fields.count(Slot::SpansStarted).unwrap_or_default(),
        spans_dropped: fields.count(Slot::SpansDropped),
        dropped: first..u32::try_from(batch.dropped.len()).expect("a batch is small"),
        rest: keep_rest(fields, line, batch),
    };
    batch.events.push(Event::Transaction(event));
    Ok(())
}
