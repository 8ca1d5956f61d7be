//! Traces that go across services: three bodies that follow each other share theirs. Each holds four spans of a trace:
//! a request and what it does. Of the first two, one span is the call that the next body's request answers.

use opentelemetry_proto::tonic::trace::v1::Span;
use xxhash_rust::xxh3::xxh3_64;

use crate::request::{NOW, SPANS, length, work};

/// The places that each of the three bodies has of a trace; the last but one of the first two is a call.
const PLACES: [[u32; 4]; 3] = [[0, 1, 4, 6], [0, 2, 5, 7], [0, 3, 6, 8]];
/// The place, within these, of the call.
const CALL: u64 = 2;

/// The spans of a body.
pub(crate) fn spans(body: u64) -> Vec<Span> {
    let (set, part) = (body / 3, body % 3);
    let traces = u64::from(SPANS) / 4;
    (0..traces)
        .flat_map(|trace| (0..4).map(move |place| span(set, part, trace, place)))
        .collect()
}

/// The id of a span, which is not zero.
fn id(set: u64, part: u64, trace: u64, place: u64) -> u64 {
    xxh3_64(&(set << 20 | part << 16 | trace << 4 | place).to_be_bytes()).max(1)
}

fn span(set: u64, part: u64, trace: u64, place: u64) -> Span {
    let [of_part, at] = [part, place].map(|number| number as usize);
    let chance = id(set, part, trace, place);
    let number = (trace * 4 + place) as u32;
    let (name, kind, attributes) = work(PLACES[of_part][at], number);
    let entry = id(set, 0, trace, 0);
    let trace_id = u128::from(entry) << 64 | u128::from(entry.rotate_left(17));
    let parent = match (place, part) {
        (0, 0) => Vec::new(),
        (0, _) => id(set, part - 1, trace, CALL).to_be_bytes().to_vec(),
        _ => id(set, part, trace, 0).to_be_bytes().to_vec(),
    };
    // Three bodies hold a second and a half.
    let start = NOW + set * 1_500_000_000 + trace * 10_000_000 + part * 1_000_000 + place * 100_000;
    Span {
        trace_id: trace_id.to_be_bytes().to_vec(),
        span_id: chance.to_be_bytes().to_vec(),
        parent_span_id: parent,
        name,
        kind,
        start_time_unix_nano: start,
        end_time_unix_nano: start + length(chance),
        attributes,
        ..Span::default()
    }
}
