//! Exit spans of calls that block their thread, from their begin until somebody tells of their end.
//!
//! Diesel does not tell of the end of every query: one whose values cannot be bound fails without a word. But a call that
//! blocks is over when the code that made it is, so what is left then has failed. It ended when it was last heard of.

use std::sync::Arc;
use std::time::Instant;

use super::LeafSpan;
use crate::outcome::Outcome;
use crate::span_kind::Tail;

/// Calls that are kept at once on one thread. Only those that never end are many.
const MOST: usize = 64;

/// A call that was begun.
#[derive(Debug)]
pub(crate) struct Call {
    /// Whose call it is, such as a connection's: each has one at a time.
    owner: u64,
    span: LeafSpan,
    /// `None` over the span limit.
    tail: Option<Arc<Tail>>,
    last_heard_of: Instant,
}

/// The calls that are under way on a thread, oldest first.
#[derive(Debug)]
pub(crate) struct Unfinished {
    calls: Vec<Call>,
    /// Whose call was begun last, if none has ended since.
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
    pub(crate) fn push(&mut self, call: Call) -> Option<Call> {
        let oldest = (self.calls.len() >= MOST).then(|| self.calls.remove(0));
        self.latest = Some(call.owner);
        self.calls.push(call);
        oldest
    }

    /// The call of an owner.
    pub(crate) fn take(&mut self, owner: u64) -> Option<Call> {
        let place = self.calls.iter().rposition(|call| call.owner == owner)?;
        self.latest = None;
        Some(self.calls.remove(place))
    }

    /// The call that was begun last, if none has ended since.
    pub(crate) fn take_latest(&mut self) -> Option<Call> {
        self.take(self.latest?)
    }

    /// Something was heard of the call of an owner: it goes on.
    pub(crate) fn heard_of(&mut self, owner: u64) {
        if let Some(call) = self.calls.iter_mut().rfind(|call| call.owner == owner) {
            call.last_heard_of = Instant::now();
        }
    }

    /// The youngest call, if there are more than `before`.
    pub(crate) fn pop_behind(&mut self, before: usize) -> Option<Call> {
        (self.calls.len() > before)
            .then(|| self.calls.pop())
            .flatten()
    }
}

impl Call {
    pub(crate) fn new(owner: u64, span: LeafSpan, tail: Option<Arc<Tail>>) -> Self {
        Self {
            owner,
            last_heard_of: span.start(),
            span,
            tail,
        }
    }

    /// It has ended now.
    pub(crate) fn end(self, outcome: Outcome) {
        self.span.end(outcome, self.tail);
    }

    /// It has failed, some time ago.
    pub(crate) fn fail(self) {
        self.span
            .end_at(self.last_heard_of, Outcome::Failure, self.tail);
    }
}
