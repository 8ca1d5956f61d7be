//! The part of a transaction that never changes.

use std::time::Instant;

use crate::trace::ids::{SpanId, TraceId};
use crate::trace::sampler::SampleRate;

/// The ids of a transaction, its place in the trace, and when it began.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) trace_id: TraceId,
    pub(crate) id: SpanId,
    pub(crate) parent_id: Option<SpanId>,
    pub(crate) sampled: bool,
    pub(crate) sample_rate: Option<SampleRate>,
    pub(crate) links: Vec<(TraceId, SpanId)>,
    pub(crate) start: Instant,
    /// Microseconds since the epoch at `start`.
    pub(crate) timestamp: u64,
}
