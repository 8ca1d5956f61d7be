//! A transaction with the span that is open in it: what new spans and errors belong to.

mod active_span;

use std::fmt;
use std::sync::Arc;

use crate::recording::transaction::Core;
use crate::trace::ids::{SpanId, TraceId};

pub(crate) use active_span::{
    ActiveSpan, Beginning, begin, begin_at, finish, finish_dropped, stack_of,
};
#[cfg(feature = "diesel")]
pub(crate) use active_span::{fail_last_query, set_rows_of_last_query};

/// The transaction that code runs for, and the span if one is open.
#[derive(Clone, Debug)]
pub(crate) struct Current {
    pub(crate) transaction: Arc<Core>,
    pub(crate) span: Option<Arc<ActiveSpan>>,
}

impl Current {
    /// The transaction itself, outside of its spans.
    pub(crate) fn outside_spans(transaction: &Arc<Core>) -> Self {
        Self {
            transaction: Arc::clone(transaction),
            span: None,
        }
    }

    /// The id that a new span has for its parent.
    #[inline]
    pub(crate) fn parent_id(&self) -> SpanId {
        self.span
            .as_ref()
            .map_or(self.transaction.identity.id, |span| span.id)
    }
}

/// The ids that tie a log line to a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TraceIds {
    /// The trace: one for all services that work on a request.
    pub trace_id: TraceId,
    /// The transaction: one for this service's part.
    pub transaction_id: SpanId,
    /// The open span, if any.
    pub span_id: Option<SpanId>,
}

impl TraceIds {
    pub(crate) fn from_current(current: &Current) -> Self {
        Self {
            trace_id: current.transaction.identity.trace_id,
            transaction_id: current.transaction.identity.id,
            span_id: current.span.as_ref().map(|span| span.id),
        }
    }
}

/// `trace.id=… transaction.id=…`, and `span.id=…` if a span is open: ready for a log line.
impl fmt::Display for TraceIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "trace.id={} transaction.id={}",
            self.trace_id, self.transaction_id
        )?;
        match self.span_id {
            Some(span) => write!(f, " span.id={span}"),
            None => Ok(()),
        }
    }
}
