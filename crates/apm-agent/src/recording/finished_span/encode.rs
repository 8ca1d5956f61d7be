//! A span as a line of JSON: a template with holes for what differs, and the shared tail.

use std::sync::Arc;

use super::{Composite, FinishedSpan};
use crate::encode::json;
use crate::recording::identity::Identity;
use crate::recording::repeated::Said;
use crate::recording::span_kind::{Own, Tail};
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

/// The template with a duration of fixed length: the part of most lines that holds ids and times.
const HEAD: [u8; TEMPLATE.len() + 5] = {
    let mut head = [b'0'; TEMPLATE.len() + 5];
    let mut at = 0;
    while at < TEMPLATE.len() {
        head[at] = TEMPLATE[at];
        at += 1;
    }
    head
};
const DURATION: usize = TEMPLATE.len();

/// Appends a finished span of the transaction.
pub(crate) fn write(out: &mut Vec<u8>, identity: &Identity, span: &FinishedSpan) {
    let line = out.len();
    let micros = span.micros();
    let Some(digits) = json::short_millis(micros) else {
        out.extend_from_slice(&TEMPLATE);
        write_ids(hole(out, line), identity, span);
        json::millis(out, micros);
        let (said, rare) = end_of(identity, span);
        return write_end(out, &said, &rare, &span.tail);
    };
    let (said, rare) = end_of(identity, span);
    // A tail that is this span's alone is not worth remembering.
    let repeats = rare.is_none() && Arc::strong_count(&span.tail) > 1;
    if !repeats || !span.tail.repeated.write(out, &said) {
        out.extend_from_slice(&HEAD);
        write_end(out, &said, &rare, &span.tail);
        if repeats {
            let end = out.get(line + HEAD.len()..).unwrap_or_default();
            span.tail.repeated.note(&said, &HEAD, end);
        }
    }
    let head: &mut [u8; HEAD.len()] = hole(out, line);
    *place(head, DURATION) = digits;
    write_ids(place(head, 0), identity, span);
}

/// About the length of a span's line: what is its own beside the tail is short.
#[inline]
pub(crate) fn about(span: &FinishedSpan) -> usize {
    HEAD.len() + 200 + span.tail.json_len()
}

/// Writes ids and the time stamp over those of the template.
#[inline]
fn write_ids(head: &mut [u8; TEMPLATE.len()], identity: &Identity, span: &FinishedSpan) {
    span.id.write_hex(place(head, ID));
    *place(head, TRANSACTION_ID) = identity.digits.id;
    *place(head, TRACE_ID) = identity.digits.trace_id;
    let parent = place(head, PARENT_ID);
    if span.parent_id == identity.id {
        *parent = identity.digits.id;
    } else {
        span.parent_id.write_hex(parent);
    }
    // The transaction's own, plus the monotonic distance.
    let later = span.start.micros_since(identity.start);
    let timestamp = place(head, TIMESTAMP);
    identity.digits.timestamp.write(timestamp, later);
}

/// The parts of an end that few spans have: one with them is not remembered.
struct Rare<'a> {
    composite: Option<&'a Composite>,
    bind_hash: Option<u64>,
}

impl Rare<'_> {
    fn is_none(&self) -> bool {
        self.composite.is_none() && self.bind_hash.is_none()
    }
}

/// All that stands behind the duration, beside the tail. Every field of a span is named here, so that the build fails
/// until a new one is a part of what is compared, or is known to be no part of the end.
#[inline]
fn end_of<'a>(identity: &Identity, span: &'a FinishedSpan) -> (Said<'a>, Rare<'a>) {
    let FinishedSpan {
        outcome,
        rows,
        cost,
        composite,
        binds,
        // Before the end, or in no line of a span.
        id: _,
        parent_id: _,
        start: _,
        end: _,
        propagated: _,
        tail: _,
        stack: _,
    } = span;
    let said = Said {
        outcome: *outcome,
        sample_rate: identity.sample_rate,
        rows: *rows,
        cost: cost.as_ref(),
    };
    let rare = Rare {
        composite: composite.as_deref(),
        bind_hash: binds.hash(),
    };
    (said, rare)
}

/// Appends what stands behind the duration. It sees nothing of the span but what [`end_of`] names.
fn write_end(out: &mut Vec<u8>, said: &Said<'_>, rare: &Rare<'_>, tail: &Tail) {
    let Said {
        outcome,
        sample_rate: rate,
        rows,
        cost,
    } = said;
    out.extend_from_slice(b",\"outcome\":\"");
    out.extend_from_slice(outcome.as_str().as_bytes());
    out.extend_from_slice(b"\",");
    if let Some(rate) = *rate {
        sample_rate(out, rate);
    }
    let mut renamed = None;
    if let Some(composite) = rare.composite {
        out.extend_from_slice(b"\"composite\":{\"count\":");
        json::uint(out, composite.count.into());
        out.extend_from_slice(b",\"sum\":");
        let sum = u64::try_from(composite.sum.as_micros()).unwrap_or(u64::MAX);
        json::millis(out, sum);
        out.extend_from_slice(b",\"compression_strategy\":\"");
        out.extend_from_slice(composite.strategy.as_str().as_bytes());
        out.extend_from_slice(b"\"},");
        renamed = composite.renamed.as_deref();
    }
    let own = Own {
        renamed,
        rows: *rows,
        bind_hash: rare.bind_hash,
        cost: *cost,
    };
    tail.write(out, &own);
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

/// The `N` bytes from `at` of a template, which has them.
#[inline]
fn place<const N: usize, const ALL: usize>(template: &mut [u8; ALL], at: usize) -> &mut [u8; N] {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::recording::binds::Binds;
    use crate::recording::cost::{COUNTS, Cost};
    use crate::recording::identity::Digits;
    use crate::recording::outcome::Outcome;
    use crate::recording::span_kind::{SpanKind, Tail};
    use crate::trace::ids::{SpanId, TraceId};
    use crate::util::clock::Moment;

    const BEGIN: u64 = 1_763_826_000_123_456;

    fn identity() -> Identity {
        let (trace_id, id) = (TraceId::random(), SpanId::random());
        Identity {
            trace_id,
            id,
            parent_id: None,
            sampled: true,
            sample_rate: Some(SampleRate::ALL),
            links: Vec::new(),
            start: Moment::now(),
            digits: Digits::new(trace_id, id, BEGIN),
        }
    }

    fn tail() -> Arc<Tail> {
        let kind = SpanKind {
            span_type: "db".into(),
            subtype: Some("sqlite".into()),
            exit: true,
            target: None,
        };
        let db = b"\"db\":{\"type\":\"sql\",\"statement\":\"INSERT INTO a VALUES (?)\"},";
        Arc::new(Tail::new(
            Arc::new(kind),
            "INSERT INTO a",
            Some("exec"),
            |out| out.extend_from_slice(db),
        ))
    }

    fn span(identity: &Identity, tail: &Arc<Tail>, ms: u64) -> FinishedSpan {
        let took = Duration::from_micros(ms * 100 + 7);
        FinishedSpan {
            id: SpanId::random(),
            parent_id: identity.id,
            start: identity.start.after(Duration::from_millis(ms)),
            end: identity.start.after(Duration::from_millis(ms) + took),
            outcome: Outcome::Success,
            propagated: false,
            tail: Arc::clone(tail),
            binds: Binds::Unknown,
            composite: None,
            rows: Some(1),
            cost: Some(Cost([17; COUNTS])),
            stack: None,
        }
    }

    #[test]
    fn a_span_is_written_alike_whether_its_end_is_remembered_or_not() {
        let (identity, shared) = (identity(), tail());
        let changes: [fn(&mut FinishedSpan); 8] = [
            |_| {},
            |span| span.end = span.start.after(Duration::from_millis(1234)),
            |span| span.rows = None,
            |span| span.outcome = Outcome::Failure,
            |span| span.cost = Some(Cost([18; COUNTS])),
            |span| span.cost = None,
            |span| span.binds = Binds::Same(7),
            |span| span.parent_id = SpanId::random(),
        ];
        let mut ms = 0;
        // Each is written three times in a row, the last time from memory, and once between others.
        let runs = changes
            .iter()
            .flat_map(|change| [change; 3])
            .chain(&changes);
        for change in runs {
            ms += 3;
            let mut spans = [span(&identity, &shared, ms), span(&identity, &tail(), ms)];
            spans[1].id = spans[0].id;
            let parent = SpanId::random();
            let [one, other] = spans.map(|mut span| {
                change(&mut span);
                if span.parent_id != identity.id {
                    span.parent_id = parent;
                }
                let mut out = b"before".to_vec();
                write(&mut out, &identity, &span);
                String::from_utf8(out).unwrap()
            });
            assert_eq!(one, other);
            let line: serde_json::Value = serde_json::from_str(&one["before".len()..]).unwrap();
            let timestamp = BEGIN + ms * 1000;
            assert_eq!(line["span"]["timestamp"], timestamp);
            assert_eq!(line["span"]["transaction_id"], identity.id.to_string());
        }
    }
}
