//! `metricset`: what was found becomes an event.

mod known;
mod samples;

use apm_store::event::{Batch, Breakdown, Event, Metricset};

use super::columns::{keep, service};
use super::fields::Fields;
use super::rest::keep_rest;
use super::schema::Slot;
use super::timestamp::settle;
use crate::limits;
use crate::refused::Refused;

/// Appends the metricset to the batch. A breakdown without its samples is left out.
pub(super) fn build(fields: &mut Fields<'_>, line: &str, batch: &mut Batch) -> Result<(), Refused> {
    let is_breakdown = fields.text(Slot::TransactionName).is_some()
        || fields.text(Slot::TransactionType).is_some();
    let sample = |name: &str| {
        fields
            .samples
            .iter()
            .find(|sample| sample.0 == name)
            .and_then(|sample| sample.1)
    };
    let count = sample("span.self_time.count");
    let sum = sample("span.self_time.sum.us");
    if is_breakdown && count.is_none() && sum.is_none() {
        return Ok(());
    }
    let breakdown = is_breakdown.then(|| Breakdown {
        transaction_name: keep(fields, Slot::TransactionName, batch),
        transaction_kind: keep(fields, Slot::TransactionType, batch),
        span_kind: keep(fields, Slot::SpanType, batch),
        span_subtype: keep(fields, Slot::SpanSubtype, batch),
        count: count.map_or(0.0, |count| within(count, limits::count)),
        sum: sum.map_or(0.0, |sum| within(sum, limits::duration)),
    });
    let first = u32::try_from(batch.samples.len()).expect("a batch is small");
    // Those of a breakdown are in its own fields; what else it sends, Elastic's server drops too.
    let labels = match is_breakdown {
        true => None,
        false => samples::keep(fields, line, batch),
    };
    let event = Metricset {
        service: service(fields, batch),
        timestamp: settle(fields, line, batch).unwrap_or(batch.received),
        breakdown,
        samples: first..u32::try_from(batch.samples.len()).expect("a batch is small"),
        labels,
        rest: keep_rest(fields, line, "", batch),
    };
    batch.events.push(Event::Metricset(event));
    Ok(())
}

/// A number cut to the limits of those that are whole.
#[expect(clippy::cast_precision_loss, reason = "the limits are exact or round")]
fn within(number: f64, limit: fn(i64) -> i64) -> f64 {
    number.clamp(limit(i64::MIN) as f64, limit(i64::MAX) as f64)
}
