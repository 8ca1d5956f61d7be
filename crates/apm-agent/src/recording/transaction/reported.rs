//! The spans of a transaction that have ended: encoded, or only counted.

use std::sync::Arc;
use std::time::Duration;

use super::Core;
use super::dropped_stats::DroppedStats;
use crate::recording::finished_span::{FinishedSpan, encode};
use crate::recording::outcome::Outcome;
use crate::recording::span_kind::SpanKind;
use crate::recording::stacks::{self, StackedSpan};

/// Encoded spans that a transaction keeps before it hands them over early; bounds what one transaction holds.
const SPANS_BYTES: usize = 64 * 1024;

#[derive(Debug, Default)]
pub(crate) struct Reported {
    /// Encoded spans, and how many.
    pub(crate) spans: Vec<u8>,
    pub(crate) lines: u64,
    /// Encoded spans whose stack traces are still to be resolved.
    pub(crate) stacked: Vec<StackedSpan>,
    pub(crate) started: u32,
    pub(crate) dropped: u32,
    pub(crate) dropped_stats: DroppedStats,
}

impl Reported {
    /// Reports a span that compression gave out: encodes it, or counts it as dropped for being fast.
    #[inline]
    pub(crate) fn report(&mut self, core: &Core, span: &FinishedSpan) {
        let shortest = core.settings.exit_span_min_duration;
        let discardable =
            span.tail.kind.exit && !span.propagated && span.outcome == Outcome::Success;
        if discardable && !shortest.is_zero() && span.duration() < shortest {
            self.drop_span(&span.tail.kind, span.outcome, span.count(), span.sum());
        } else {
            self.started += 1;
            self.encode(core, span);
        }
        if self.spans.len() >= SPANS_BYTES {
            self.hand_over(core);
        }
    }

    #[inline]
    pub(crate) fn encode(&mut self, core: &Core, span: &FinishedSpan) {
        if let Some(addresses) = &span.stack
            && self.stacked.len() < stacks::PER_TRANSACTION
        {
            let mut line = Vec::new();
            encode::write(&mut line, &core.identity, span);
            let addresses = addresses.clone();
            self.stacked.push(StackedSpan { line, addresses });
            return;
        }
        if self.spans.capacity() == 0 {
            self.spans.reserve(4096);
        }
        encode::write(&mut self.spans, &core.identity, span);
        self.lines += 1;
    }

    /// Counts a span that is not reported.
    pub(crate) fn drop_span(
        &mut self,
        kind: &Arc<SpanKind>,
        outcome: Outcome,
        count: u32,
        sum: Duration,
    ) {
        self.dropped += 1;
        self.dropped_stats.add(kind, outcome, count, sum);
    }

    /// Passes the encoded spans on.
    pub(crate) fn hand_over(&mut self, core: &Core) {
        let agent = &core.recorder;
        agent.stacks.push(&mut self.stacked, &agent.buffers);
        if self.lines > 0 {
            let spans = &self.spans;
            agent
                .buffers
                .append(self.lines, |out| out.extend_from_slice(spans));
            self.spans.clear();
            self.lines = 0;
        }
    }
}
