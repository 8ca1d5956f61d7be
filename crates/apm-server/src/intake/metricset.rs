//! `metricset`: what was found becomes an event.

use super::decode::keep_rest;
use super::found::Found;
use super::limits;
use super::schema::Slot;
use super::timestamp::settle;
use super::transaction::{keep, service};
use crate::event::{Batch, Breakdown, Event, Metricset, Sample};

/// Appends the metricset to the batch; `false` where it is a breakdown without its samples, which nobody wants.
pub(super) fn build(found: &mut Found<'_>, line: &str, batch: &mut Batch) -> bool {
    let is_breakdown =
        found.text(Slot::TransactionName).is_some() || found.text(Slot::TransactionType).is_some();
    let sample = |name: &str| {
        found
            .samples
            .iter()
            .find(|sample| sample.0 == name)
            .and_then(|sample| sample.1)
    };
    let count = sample("span.self_time.count");
    let sum = sample("span.self_time.sum.us");
    if is_breakdown && count.is_none() && sum.is_none() {
        return false;
    }
    let breakdown = is_breakdown.then(|| Breakdown {
        transaction_name: keep(found, Slot::TransactionName, batch),
        transaction_kind: keep(found, Slot::TransactionType, batch),
        span_kind: keep(found, Slot::SpanType, batch),
        span_subtype: keep(found, Slot::SpanSubtype, batch),
        count: count.map_or(0.0, |count| within(count, limits::count)),
        sum: sum.map_or(0.0, |sum| within(sum, limits::duration)),
    });
    let first = u32::try_from(batch.samples.len()).expect("a batch is small");
    // Those of a breakdown are in its own fields; what else it sends, Elastic's server drops too.
    if !is_breakdown {
        for (name, value) in std::mem::take(&mut found.samples) {
            if let Some(value) = value {
                let name = batch.keep(&name);
                batch.samples.push(Sample { name, value });
            }
        }
    }
    let event = Metricset {
        service: service(found, batch),
        timestamp: settle(found, line, batch).unwrap_or(batch.received),
        breakdown,
        samples: first..u32::try_from(batch.samples.len()).expect("a batch is small"),
        rest: keep_rest(found, line, batch),
    };
    batch.events.push(Event::Metricset(event));
    true
}

/// A number cut to the limits of those that are whole.
#[expect(clippy::cast_precision_loss, reason = "the limits are exact or round")]
fn within(number: f64, limit: fn(i64) -> i64) -> f64 {
    number.clamp(limit(i64::MIN) as f64, limit(i64::MAX) as f64)
}
