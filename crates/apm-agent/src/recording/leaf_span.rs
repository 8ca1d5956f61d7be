//! Exit spans: queries and requests to other services, which have no children.

#[cfg(feature = "diesel")]
mod unfinished;

use std::sync::Arc;

use crate::recording::current::{Beginning, Current, begin_at, finish, finish_dropped, stack_of};
use crate::recording::finished_span::{Ended, QueryDetails};
use crate::recording::outcome::Outcome;
use crate::recording::recorder::Recorder;
use crate::recording::span_kind::{SpanKind, Tail};
use crate::trace::ids::SpanId;
use crate::util::clock::Moment;
use crate::util::lock;

#[cfg(feature = "diesel")]
pub(crate) use unfinished::{Call, Unfinished};

/// An exit span: a query, a request to another service. It is not made current, so it can be kept anywhere and ended on
/// any thread.
///
/// Dropped without an end, it ends with an unknown outcome.
#[derive(Debug)]
pub(crate) struct LeafSpan {
    current: Current,
    beginning: Beginning,
    kind: Arc<SpanKind>,
    /// Its id went downstream.
    pub(crate) propagated: bool,
    /// The number of rows that a statement changed, if it is known before the end.
    pub(crate) rows: Option<u64>,
    ended: bool,
}

impl LeafSpan {
    /// Begins an exit span; `None` if the transaction wants none.
    #[inline]
    pub(crate) fn begin(current: &Current, kind: &Arc<SpanKind>) -> Option<Self> {
        Self::begin_with(current, kind, None)
    }

    /// The same for a span that began earlier.
    pub(crate) fn begin_at(current: &Current, kind: &Arc<SpanKind>, start: Moment) -> Option<Self> {
        Self::begin_with(current, kind, Some(start))
    }

    #[inline]
    fn begin_with(current: &Current, kind: &Arc<SpanKind>, start: Option<Moment>) -> Option<Self> {
        if !current.transaction.instrument {
            return None;
        }
        let beginning = begin_at(current, start)?;
        Some(Self {
            current: current.clone(),
            beginning,
            kind: Arc::clone(kind),
            propagated: false,
            rows: None,
            ended: false,
        })
    }

    pub(crate) fn recorder(&self) -> &Recorder {
        &self.current.transaction.recorder
    }

    /// Whether its details are worth collecting: it has a place below the limit.
    pub(crate) fn admitted(&self) -> bool {
        self.beginning.admitted
    }

    pub(crate) fn id(&self) -> SpanId {
        self.beginning.id
    }

    #[cfg(feature = "diesel")]
    pub(crate) fn start(&self) -> Moment {
        self.beginning.start
    }

    /// Whether its transaction has asked this question before, by a hash of the question.
    #[cfg(feature = "diesel")]
    pub(crate) fn asks_again(&self, question: u64) -> bool {
        lock(&self.current.transaction.state).asks_again(question)
    }

    /// Ends it. `tail` is only needed when it was admitted.
    pub(crate) fn end(self, outcome: Outcome, tail: Option<Arc<Tail>>) {
        self.end_at(Moment::now(), outcome, tail);
    }

    /// The same for a span that has ended before.
    pub(crate) fn end_at(mut self, end: Moment, outcome: Outcome, tail: Option<Arc<Tail>>) {
        let query = self.details();
        self.close(end, outcome, tail, &query);
    }

    /// The same for a query of which more is known.
    #[cfg(feature = "sqlite-meter")]
    pub(crate) fn end_query(mut self, end: Moment, tail: Arc<Tail>, query: &QueryDetails) {
        self.close(end, Outcome::Success, Some(tail), query);
    }

    /// Discards it, as if it had not begun.
    pub(crate) fn forget(mut self) {
        self.ended = true;
        let end = Moment::now();
        let core = &self.current.transaction;
        if let Some(parent) = &self.current.span {
            lock(&parent.state).children.child_ended(end);
        }
        core.forget_span(end, self.current.span.is_none());
    }

    /// The details of it as a query, which are the rows alone.
    fn details(&self) -> QueryDetails {
        QueryDetails {
            rows: self.rows,
            ..QueryDetails::default()
        }
    }

    /// Nobody said how it ended.
    #[cold]
    fn end_unknown(&mut self) {
        let tail = Tail::new(Arc::clone(&self.kind), "", None, |_| {});
        let query = self.details();
        self.close(
            Moment::now(),
            Outcome::Unknown,
            Some(Arc::new(tail)),
            &query,
        );
    }

    /// `tail` and `query` are only needed when it was admitted.
    #[inline]
    fn close(
        &mut self,
        end: Moment,
        outcome: Outcome,
        tail: Option<Arc<Tail>>,
        query: &QueryDetails,
    ) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let core = &self.current.transaction;
        let parent = self.current.span.as_deref();
        let Beginning {
            id,
            parent_id,
            start,
            admitted,
        } = self.beginning;
        let Some(tail) = tail.filter(|_| admitted) else {
            return finish_dropped(core, parent, &self.kind, outcome, (start, end), None);
        };
        let ended = Ended {
            id,
            parent_id,
            start,
            end,
            outcome,
            propagated: self.propagated,
            tail,
            query,
            stack: stack_of(core, (start, end)),
        };
        finish(core, parent, ended, end.nanos_since(start));
    }
}

impl Drop for LeafSpan {
    fn drop(&mut self) {
        if !self.ended {
            self.end_unknown();
        }
    }
}
