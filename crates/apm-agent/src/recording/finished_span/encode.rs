//! A span as a line of JSON: a template with holes for what differs, and the shared tail.

use std::sync::Arc;
use std::time::Instant;

use super::FinishedSpan;
use crate::encode::json;
use crate::recording::identity::Identity;
use crate::recording::repeated::Said;
use crate::recording::span_kind::Own;
use crate::trace::sampler::SampleRate;

const TEMPLATE: [u8; 186] =
    *b"{\"span\":{\"id\":\"0000000000000000\",\"transaction_id\":\"0000000000000000\",\
\"trace_id\":\"00000000000000000000000000000000\",\"parent_id\":\"0000000000000000\",\
\"timestamp\":0000000000000000,\"duration\":";

const ID: usize = find(b"{\"id\":\"") + 7;
const TRANSACTION_ID: usize = find(b"\"transaction_id\":\"") + 18;
const TRACE_ID: usize = find(b"\"trace_id\":\"") + 12;
const PARENT_ID: usize = find(b"\"parent_id\":\"") + 13;
const TIMESTAMP: usize = find(b"\"timestamp\":") + 12;

/// The place of `needle` in the template; the build fails if it is not there.
const fn find(needle: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let mut same = 0;
        while same < needle.len() && TEMPLATE[at + same] == needle[same] {
            same += 1;
        }
        if same == needle.len() {
            return at;
        }
        at += 1;
    }
}

/// Appends a finished span of the transaction.
pub(crate) fn write(out: &mut Vec<u8>, identity: &Identity, span: &FinishedSpan) {
    let mut head = TEMPLATE;
    span.id.write_hex(place(&mut head, ID));
    *place(&mut head, TRANSACTION_ID) = identity.digits.id;
    *place(&mut head, TRACE_ID) = identity.digits.trace_id;
    let parent = place(&mut head, PARENT_ID);
    if span.parent_id == identity.id {
        *parent = identity.digits.id;
    } else {
        span.parent_id.write_hex(parent);
    }
    let timestamp = timestamp(identity, span.start);
    json::micros(place(&mut head, TIMESTAMP), timestamp);
    out.extend_from_slice(&head);
    json::millis(out, span.duration());
    let end = out.len();
    let said = said(identity, span);
    if let Some(said) = &said
        && span.tail.repeated.write(out, said)
    {
        return;
    }
    write_end(out, identity, span);
    if let Some(said) = &said {
        span.tail.repeated.note(said, &out[end..]);
    }
}

/// All that stands behind the duration; `None` where it is not worth remembering: the tail is this span's alone, or
/// the span has more to say than most.
fn said(identity: &Identity, span: &FinishedSpan) -> Option<Said> {
    let plain = span.composite.is_none() && span.binds.hash().is_none();
    (plain && Arc::strong_count(&span.tail) > 1).then_some(Said {
        outcome: span.outcome,
        sample_rate: identity.sample_rate,
        rows: span.rows,
        cost: span.cost,
    })
}

/// Appends what stands behind the duration.
fn write_end(out: &mut Vec<u8>, identity: &Identity, span: &FinishedSpan) {
    out.extend_from_slice(b",\"outcome\":\"");
    out.extend_from_slice(span.outcome.as_str().as_bytes());
    out.extend_from_slice(b"\",");
    if let Some(rate) = identity.sample_rate {
        sample_rate(out, rate);
    }
    let mut renamed = None;
    if let Some(composite) = &span.composite {
        out.extend_from_slice(b"\"composite\":{\"count\":");
        json::uint(out, composite.count.into());
        out.extend_from_slice(b",\"sum\":");
        json::millis(out, composite.sum);
        out.extend_from_slice(b",\"compression_strategy\":\"");
        out.extend_from_slice(composite.strategy.as_str().as_bytes());
        out.extend_from_slice(b"\"},");
        renamed = composite.renamed.as_deref();
    }
    let own = Own {
        renamed,
        rows: span.rows,
        bind_hash: span.binds.hash(),
        cost: span.cost.as_ref(),
    };
    span.tail.write(out, &own);
}

/// Appends `"sample_rate":…,`.
pub(crate) fn sample_rate(out: &mut Vec<u8>, rate: SampleRate) {
    match rate {
        SampleRate::ALL => out.extend_from_slice(b"\"sample_rate\":1,"),
        SampleRate::NONE => out.extend_from_slice(b"\"sample_rate\":0,"),
        rate => {
            out.extend_from_slice(b"\"sample_rate\":");
            out.extend_from_slice(rate.to_string().as_bytes());
            out.push(b',');
        }
    }
}

/// The time stamp of a moment in a transaction: its own, plus the monotonic distance.
fn timestamp(identity: &Identity, at: Instant) -> u64 {
    let after = at.saturating_duration_since(identity.start);
    let micros = after.as_secs().saturating_mul(1_000_000);
    identity
        .timestamp
        .saturating_add(micros)
        .saturating_add(u64::from(after.subsec_micros()))
}

/// The `N` bytes from `at` of a template, which has them.
#[inline]
fn place<const N: usize>(template: &mut [u8; TEMPLATE.len()], at: usize) -> &mut [u8; N] {
    hole(template, at)
}

/// The `N` bytes from `at`.
#[inline]
pub(crate) fn hole<const N: usize>(out: &mut [u8], at: usize) -> &mut [u8; N] {
    match out.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
        Some(hole) => hole,
        None => unreachable!("the template that was just appended is longer"),
    }
}
