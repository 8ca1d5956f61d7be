//! Exit spans of calls that block their thread, from their begin until somebody tells of their end.
//!
//! Diesel does not tell of the end of every query: one whose values cannot be bound fails without a word. But a call
//! that blocks is over when the code that made it is, so what is left then has failed. It ended when it was last heard
//! of.

use std::sync::Arc;

use super::LeafSpan;
use crate::recording::current::Current;
use crate::recording::finished_span::QueryDetails;
use crate::recording::outcome::Outcome;
use crate::recording::span_kind::{SpanKind, Tail};
use crate::util::clock::Moment;

/// Calls that are kept at once on one thread. Only those that never end are many.
const MOST: usize = 64;

/// A call of one owner, such as a connection, which has one at a time and uses the memory again for the next.
#[derive(Debug)]
pub(crate) struct Call {
    owner: u64,
    running: Option<Running>,
    /// The value of [`Unfinished::latest`] before.
    latest_before: Option<u64>,
}

#[derive(Debug)]
struct Running {
    span: LeafSpan,
    /// `None` over the span limit.
    tail: Option<Arc<Tail>>,
    last_heard_of: Moment,
}

/// The calls that are under way on a thread, oldest first.
#[derive(Debug)]
pub(crate) struct Unfinished {
    /// Boxed: a call is large, and passed on twice.
    #[expect(clippy::vec_box, reason = "the boxes are passed on as they are")]
    calls: Vec<Box<Call>>,
    /// The owner of the call that was begun last, if none has ended since.
    latest: Option<u64>,
}

impl Unfinished {
    pub(crate) const fn new() -> Self {
        Self {
            calls: Vec::new(),
            latest: None,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.calls.len()
    }

    /// Adds a call; gives out one that there is no room for.
    #[must_use]
    #[inline]
    pub(crate) fn push(&mut self, mut call: Box<Call>) -> Option<Box<Call>> {
        let oldest = (self.calls.len() >= MOST).then(|| self.calls.remove(0));
        call.latest_before = self.latest.replace(call.owner);
        self.calls.push(call);
        oldest
    }

    /// The call of an owner.
    #[inline]
    pub(crate) fn take(&mut self, owner: u64) -> Option<Box<Call>> {
        let place = self.calls.iter().rposition(|call| call.owner == owner)?;
        self.latest = None;
        // Mostly it is the newest one.
        if place + 1 == self.calls.len() {
            return self.calls.pop();
        }
        Some(self.calls.remove(place))
    }

    /// Discards the call that was begun last and that [`Self::take`] gave out.
    pub(crate) fn take_back(&mut self, call: &Call) {
        self.latest = call.latest_before;
    }

    /// The call that was begun last, if none has ended since.
    pub(crate) fn take_latest(&mut self) -> Option<Box<Call>> {
        self.take(self.latest?)
    }

    /// Something was heard of the call of an owner: it goes on.
    pub(crate) fn heard_of(&mut self, owner: u64) {
        let call = self.calls.iter_mut().rfind(|call| call.owner == owner);
        if let Some(running) = call.and_then(|call| call.running.as_mut()) {
            running.last_heard_of = Moment::now();
        }
    }

    /// The newest call, if there are more than `before`.
    pub(crate) fn pop_behind(&mut self, before: usize) -> Option<Box<Call>> {
        (self.calls.len() > before)
            .then(|| self.calls.pop())
            .flatten()
    }
}

impl Call {
    pub(crate) fn new(owner: u64) -> Box<Self> {
        Box::new(Self {
            owner,
            running: None,
            latest_before: None,
        })
    }

    /// It begins now. Whether there is to be a span of it. The span is made where it stays: it is large.
    #[inline]
    pub(crate) fn begin(&mut self, current: &Current, kind: &Arc<SpanKind>) -> bool {
        let Some(span) = LeafSpan::begin(current, kind) else {
            return false;
        };
        self.running = Some(Running {
            last_heard_of: span.start(),
            span,
            tail: None,
        });
        true
    }

    /// Says what it probably is, or has turned out to be.
    #[inline]
    pub(crate) fn expect(&mut self, tail: Arc<Tail>) {
        if let Some(running) = &mut self.running {
            running.tail = Some(tail);
        }
    }

    /// Whether its details are worth collecting.
    #[inline]
    pub(crate) fn admitted(&self) -> bool {
        let running = self.running.as_ref();
        running.is_some_and(|running| running.span.admitted())
    }

    /// Whether its transaction has asked this question before, by a hash of the question.
    pub(crate) fn asks_again(&self, question: u64) -> bool {
        let running = self.running.as_ref();
        running.is_some_and(|running| running.span.asks_again(question))
    }

    /// Discards it, as if it had not begun.
    pub(crate) fn forget(&mut self) {
        if let Some(running) = self.running.take() {
            running.span.forget();
        }
    }

    /// It has ended.
    #[inline]
    pub(crate) fn end_at(&mut self, end: Moment, outcome: Outcome, query: &QueryDetails) {
        if let Some(Running { span, tail, .. }) = &mut self.running {
            span.close(end, outcome, tail.take(), query);
        }
        self.running = None;
    }

    /// It has failed, some time ago.
    pub(crate) fn fail(&mut self) {
        if let Some(running) = self.running.take() {
            let Running { span, tail, .. } = running;
            span.end_at(running.last_heard_of, Outcome::Failure, tail);
        }
    }
}
