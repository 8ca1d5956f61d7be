//! The part of a transaction that never changes.

use crate::encode::timestamp::Timestamp;
use crate::trace::ids::{SpanId, TraceId};
use crate::trace::sampler::SampleRate;
use crate::util::clock::Moment;

/// The ids of a transaction, its place in the trace, and when it began.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) trace_id: TraceId,
    pub(crate) id: SpanId,
    pub(crate) parent_id: Option<SpanId>,
    pub(crate) sampled: bool,
    pub(crate) sample_rate: Option<SampleRate>,
    pub(crate) links: Vec<(TraceId, SpanId)>,
    pub(crate) start: Moment,
    /// Each of its spans has them.
    pub(crate) digits: Digits,
}

/// The ids of a transaction, and its time, in digits.
#[derive(Debug)]
pub(crate) struct Digits {
    pub(crate) trace_id: [u8; TraceId::HEX_LEN],
    pub(crate) id: [u8; SpanId::HEX_LEN],
    /// The time at which it began.
    pub(crate) timestamp: Timestamp,
}

impl Digits {
    /// `timestamp`: microseconds since the epoch.
    pub(crate) fn new(trace_id: TraceId, id: SpanId, timestamp: u64) -> Self {
        let mut digits = Self {
            trace_id: [0; TraceId::HEX_LEN],
            id: [0; SpanId::HEX_LEN],
            timestamp: Timestamp::new(timestamp),
        };
        trace_id.write_hex(&mut digits.trace_id);
        id.write_hex(&mut digits.id);
        digits
    }
}
