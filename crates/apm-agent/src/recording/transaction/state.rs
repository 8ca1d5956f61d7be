//! The part of a transaction that changes while it runs, behind its one lock.
//!
//! The lock is held for nanoseconds and never across code of the service.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::Core;
use super::dropped_stats::DroppedStats;
use super::extra::Extra;
use super::request_body::RequestBody;
use crate::config::Settings;
use crate::recording::breakdown::SpanTimes;
use crate::recording::compression::Released;
use crate::recording::finished_span::{FinishedSpan, encode};
use crate::recording::identity::Identity;
use crate::recording::outcome::Outcome;
use crate::recording::self_time::ChildTime;
use crate::recording::span_kind::SpanKind;
use crate::recording::stacks::{self, StackedSpan};

/// Encoded spans that a transaction keeps before it hands them over early; bounds what one transaction holds.
const SPANS_BYTES: usize = 64 * 1024;

/// A value that the agent finds and the service may overrule, before or after.
#[derive(Debug)]
pub(crate) struct Overridable<T> {
    found: Option<T>,
    set: Option<T>,
}

impl<T> Default for Overridable<T> {
    fn default() -> Self {
        Self {
            found: None,
            set: None,
        }
    }
}

impl<T> Overridable<T> {
    pub(crate) fn find(&mut self, value: T) {
        self.found = Some(value);
    }

    pub(crate) fn set(&mut self, value: T) {
        self.set = Some(value);
    }

    pub(crate) fn get(&self) -> Option<&T> {
        self.set.as_ref().or(self.found.as_ref())
    }
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) ended: bool,
    pub(crate) name: Overridable<Cow<'static, str>>,
    pub(crate) kind: Cow<'static, str>,
    pub(crate) result: Overridable<Cow<'static, str>>,
    pub(crate) outcome: Overridable<Outcome>,
    /// An error was captured; decides the outcome where nothing else does.
    pub(crate) errored: bool,
    /// Nobody waited for its end; decides the outcome where nothing else does.
    pub(crate) given_up: bool,
    /// The name to be taken where there is no response to ask: a route that is known to have been chosen.
    pub(crate) route: Option<Cow<'static, str>>,
    /// Encoded members of `context`, each followed by a comma: request, response.
    pub(crate) context: Vec<u8>,
    /// The request's body, and where in `context` it belongs.
    pub(crate) body: Option<(Arc<RequestBody>, usize)>,
    pub(crate) extra: Option<Box<Extra>>,
    /// Encoded spans, and how many.
    pub(crate) spans: Vec<u8>,
    pub(crate) span_lines: u64,
    /// Encoded spans whose stack traces are still to be resolved.
    pub(crate) stacked: Vec<StackedSpan>,
    /// Spans that were given a place below the limit when they began.
    pub(crate) admitted: u32,
    pub(crate) started: u32,
    pub(crate) dropped: u32,
    pub(crate) dropped_stats: DroppedStats,
    pub(crate) children: ChildTime,
    /// The child that compression keeps back.
    pub(crate) kept: Option<FinishedSpan>,
    pub(crate) times: SpanTimes,
    /// Its queries, where an answer tells of them.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) queries: Option<Box<super::queries::Queries>>,
    /// Hashes of the questions that were asked of databases, as many as are remembered.
    #[cfg(feature = "diesel")]
    pub(crate) asked: Vec<u64>,
}

/// Questions that a transaction remembers. More of them count as asked again, which costs time and loses nothing.
#[cfg(feature = "diesel")]
const ASKED: usize = 64;

impl State {
    pub(crate) fn name(&self) -> &str {
        self.name.get().map_or("", |name| name)
    }

    pub(crate) fn result(&self) -> Option<&str> {
        self.result.get().map(|result| &**result)
    }

    pub(crate) fn outcome(&self) -> Outcome {
        self.outcome
            .get()
            .copied()
            .unwrap_or(Outcome::of_work(self.errored, self.given_up))
    }

    /// Appends the members of `context`, each followed by a comma; the request's body where it is wanted.
    pub(crate) fn write_context(&self, out: &mut Vec<u8>, with_body: bool, settings: &Settings) {
        match &self.body {
            Some((body, at)) if with_body && *at <= self.context.len() => {
                let (before, after) = self.context.split_at(*at);
                out.extend_from_slice(before);
                body.write(out, settings);
                out.extend_from_slice(after);
            }
            _ => out.extend_from_slice(&self.context),
        }
        if let Some(extra) = &self.extra {
            extra.write(out);
        }
    }

    /// Whether a question was asked before. Remembers it.
    #[cfg(feature = "diesel")]
    pub(crate) fn asks_again(&mut self, question: u64) -> bool {
        if self.asked.contains(&question) || self.asked.len() >= ASKED {
            return true;
        }
        self.asked.push(question);
        false
    }

    pub(crate) fn extra(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    /// Reports spans that compression gave out: encodes them, or counts them as dropped for being fast.
    pub(crate) fn report(&mut self, core: &Core, released: Released) {
        for span in released.into_iter().flatten() {
            let shortest = core.settings.exit_span_min_duration;
            let discardable =
                span.tail.kind.exit && !span.propagated && span.outcome == Outcome::Success;
            if discardable && span.duration() < shortest {
                self.drop_span(&span.tail.kind, span.outcome, span.count(), span.sum());
                continue;
            }
            self.started += 1;
            self.encode(&core.identity, &span);
        }
        if self.spans.len() >= SPANS_BYTES {
            self.hand_over_spans(core);
        }
    }

    pub(crate) fn encode(&mut self, identity: &Identity, span: &FinishedSpan) {
        if let Some(addresses) = &span.stack
            && self.stacked.len() < stacks::PER_TRANSACTION
        {
            let mut line = Vec::new();
            encode::write(&mut line, identity, span);
            let addresses = addresses.clone();
            self.stacked.push(StackedSpan { line, addresses });
            return;
        }
        if self.spans.capacity() == 0 {
            self.spans.reserve(4096);
        }
        encode::write(&mut self.spans, identity, span);
        self.span_lines += 1;
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
    pub(crate) fn hand_over_spans(&mut self, core: &Core) {
        let agent = &core.recorder;
        agent.stacks.push(&mut self.stacked, &agent.buffers);
        if self.span_lines > 0 {
            let spans = &self.spans;
            core.recorder
                .buffers
                .append(self.span_lines, |out| out.extend_from_slice(spans));
            self.spans.clear();
            self.span_lines = 0;
        }
    }
}
