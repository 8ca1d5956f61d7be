//! `transaction`: what was found becomes an event.

use super::decode::{Refused, keep_rest};
use super::found::Found;
use super::limits;
use super::schema::Slot;
use super::timestamp::settle;
use crate::event::{Batch, DroppedSpans, Event, Outcome, ServiceOverride, Text, Transaction};

/// Appends the transaction to the batch.
pub(super) fn build(found: &mut Found<'_>, line: &str, batch: &mut Batch) -> Result<(), Refused> {
    let status = found.int(Slot::Status);
    let outcome = found.outcome().unwrap_or(match status {
        Some(500..) => Outcome::Failure,
        Some(_) => Outcome::Success,
        None => Outcome::Unknown,
    });
    let first = u32::try_from(batch.dropped.len()).expect("a batch is small");
    for dropped in std::mem::take(&mut found.dropped) {
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
        id: batch.keep_id(found.text(Slot::Id).unwrap_or_default()),
        trace_id: batch.keep_id(found.text(Slot::TraceId).unwrap_or_default()),
        parent_id: found.word(Slot::ParentId).map(|id| batch.keep_id(id)),
        service: service(found, batch),
        timestamp: settle(found, line, batch).unwrap_or(batch.received),
        duration: microseconds(found.number(Slot::Duration).unwrap_or_default()),
        name: found.word(Slot::Name).map(|name| batch.keep(name)),
        kind: batch.keep(found.word(Slot::Type).unwrap_or("unknown")),
        result: found.word(Slot::Result).map(|result| batch.keep(result)),
        outcome,
        sampled: found.bool(Slot::Sampled).unwrap_or(true),
        sample_rate: found.number(Slot::SampleRate),
        status,
        spans_started: found.count(Slot::SpansStarted).unwrap_or_default(),
        spans_dropped: found.count(Slot::SpansDropped),
        dropped: first..u32::try_from(batch.dropped.len()).expect("a batch is small"),
        rest: keep_rest(found, line, batch),
    };
    batch.events.push(Event::Transaction(event));
    Ok(())
}

/// The service that the event names for itself.
pub(super) fn service(found: &Found<'_>, batch: &mut Batch) -> ServiceOverride {
    ServiceOverride {
        name: found.word(Slot::ServiceName).map(|name| batch.keep(name)),
        environment: found
            .word(Slot::ServiceEnvironment)
            .map(|name| batch.keep(name)),
    }
}

/// Milliseconds as agents send them, as whole microseconds: cut to nanoseconds first, as APM Server does.
#[expect(
    clippy::cast_possible_truncation,
    reason = "that is the rule; a cast saturates"
)]
pub(super) fn microseconds(milliseconds: f64) -> i64 {
    limits::duration((milliseconds * 1e6) as i64 / 1000)
}

/// A kept text, where there is one.
pub(super) fn keep(found: &Found<'_>, slot: Slot, batch: &mut Batch) -> Option<Text> {
    found.word(slot).map(|text| batch.keep(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_cut_to_whole_microseconds() {
        assert_eq!(microseconds(32.592_981), 32_592);
        assert_eq!(microseconds(0.000_9), 0);
        assert_eq!(microseconds(f64::MAX), limits::duration(i64::MAX));
    }
}
