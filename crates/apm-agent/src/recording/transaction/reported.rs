//! The spans of a transaction that have ended: kept as they are until they are handed over, or only counted.
//!
//! They are encoded when the transaction ends, straight into the buffer of the thread that ends it. What a span is made
//! of is a fifth of its JSON, and its queries mostly run on another thread than that: so less memory changes its
//! processor, and nothing is copied from one buffer to another.

use std::sync::Arc;
use std::time::Duration;

use super::Core;
use super::dropped_stats::DroppedStats;
use super::span_list;
use crate::recording::compression::{self, Thresholds};
use crate::recording::finished_span::{Ended, FinishedSpan, encode};
use crate::recording::outcome::Outcome;
use crate::recording::span_kind::SpanKind;
use crate::recording::stacks::{self, StackedSpan};

/// Spans that a transaction keeps before it hands them over early, and bytes of JSON that they will have: this bounds
/// what one transaction holds.
const MOST_SPANS: usize = span_list::LARGEST;
const MOST_BYTES: usize = 64 * 1024;

#[derive(Debug, Default)]
pub(crate) struct Reported {
    /// Spans that are to be encoded.
    pub(crate) spans: Vec<FinishedSpan>,
    /// Whether the last of them is kept back by compression, and not reported yet. It is in its place already: a span
    /// is large, and is moved once.
    keeps_last: bool,
    /// About the length of their JSON.
    bytes: usize,
    /// Encoded spans whose stack traces are still to be resolved.
    pub(crate) stacked: Vec<StackedSpan>,
    /// Their number, with those that were handed over.
    with_stack: usize,
    pub(crate) started: u32,
    pub(crate) dropped: u32,
    pub(crate) dropped_stats: DroppedStats,
}

impl Reported {
    /// A child of the transaction itself ended: keeps it back, merges it into the one that is, or reports it.
    #[inline]
    pub(crate) fn offer(&mut self, core: &Core, ended: Ended<'_>) {
        let thresholds = core.thresholds();
        if thresholds.enabled {
            return self.merge(core, ended.into_span(), thresholds);
        }
        self.add(core, ended.into_span(), thresholds);
    }

    /// The same where compression is wanted.
    fn merge(&mut self, core: &Core, span: FinishedSpan, thresholds: Thresholds) {
        if let Some(kept) = self.kept()
            && compression::merges(kept, &span, thresholds)
        {
            return;
        }
        self.add(core, span, thresholds);
    }

    /// Keeps a child back, or reports it where nothing can change it any more.
    #[inline]
    fn add(&mut self, core: &Core, span: FinishedSpan, thresholds: Thresholds) {
        self.settle(core);
        self.keep(span);
        if !self
            .kept()
            .is_some_and(|kept| compression::keeps(kept, thresholds))
        {
            self.settle(core);
        }
    }

    /// The child that is kept back.
    #[inline]
    pub(crate) fn kept(&mut self) -> Option<&mut FinishedSpan> {
        match self.keeps_last {
            true => self.spans.last_mut(),
            false => None,
        }
    }

    /// Takes the child that is kept back.
    pub(crate) fn take_kept(&mut self) -> Option<FinishedSpan> {
        let keeps = std::mem::take(&mut self.keeps_last);
        keeps.then(|| self.spans.pop()).flatten()
    }

    /// Keeps a child back; none is kept back yet.
    #[inline]
    pub(crate) fn keep(&mut self, span: FinishedSpan) {
        self.spans.push(span);
        self.keeps_last = true;
    }

    /// Reports the child that is kept back: nothing changes it any more. Counts it as dropped where it was too fast.
    #[inline]
    pub(crate) fn settle(&mut self, core: &Core) {
        if !std::mem::take(&mut self.keeps_last) {
            return;
        }
        let Some(span) = self.spans.last() else {
            return;
        };
        let shortest = core.settings.exit_span_min_duration;
        if !shortest.is_zero() && compression::eligible(span) && span.duration() < shortest {
            if let Some(span) = self.spans.pop() {
                self.drop_span(&span.tail.kind, span.outcome, span.count(), span.sum());
            }
            return;
        }
        self.started += 1;
        self.bytes += encode::about(span);
        if span.stack.is_some() {
            self.await_stack(core);
        }
        if self.spans.len() >= MOST_SPANS || self.bytes >= MOST_BYTES {
            self.hand_over(core);
        }
    }

    /// Encodes the last span apart from the others, if there is room for its stack trace.
    fn await_stack(&mut self, core: &Core) {
        if self.with_stack >= stacks::PER_TRANSACTION {
            return;
        }
        self.with_stack += 1;
        if let Some(mut span) = self.spans.pop()
            && let Some(addresses) = span.stack.take()
        {
            let mut line = Vec::new();
            encode::write(&mut line, &core.identity, &span);
            self.stacked.push(StackedSpan { line, addresses });
        }
    }

    /// Reports a span at once, beside the child that is kept back.
    pub(crate) fn report(&mut self, core: &Core, span: FinishedSpan) {
        let kept = self.take_kept();
        self.keep(span);
        self.settle(core);
        if let Some(kept) = kept {
            self.keep(kept);
        }
    }

    /// Reports a span that outlived its transaction.
    pub(crate) fn report_late(&mut self, core: &Core, span: FinishedSpan) {
        let is_stacked = span.stack.is_some();
        self.spans.push(span);
        if is_stacked {
            self.await_stack(core);
        }
        self.hand_over(core);
    }

    /// Appends the spans as JSON. They are no longer kept.
    pub(crate) fn encode(&mut self, core: &Core, out: &mut Vec<u8>) {
        for span in &self.spans {
            encode::write(out, &core.identity, span);
        }
        self.clear();
    }

    /// Forgets the spans.
    pub(crate) fn clear(&mut self) {
        self.spans.clear();
        self.keeps_last = false;
        self.bytes = 0;
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

    /// Passes the spans on.
    pub(crate) fn hand_over(&mut self, core: &Core) {
        let agent = &core.recorder;
        agent.stacks.push(&mut self.stacked, &agent.buffers);
        let lines = self.spans.len() as u64;
        if lines > 0 {
            agent.buffers.append(lines, |out| self.encode(core, out));
        }
    }
}
