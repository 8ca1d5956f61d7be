//! A span that has ended: all that its JSON needs.

pub(crate) mod encode;

use std::sync::Arc;
use std::time::Duration;

use crate::recording::binds::Binds;
use crate::recording::cost::Cost;
use crate::recording::outcome::Outcome;
use crate::recording::span_kind::Tail;
use crate::trace::ids::SpanId;
use crate::util::clock::Moment;

#[derive(Debug)]
pub(crate) struct FinishedSpan {
    pub(crate) id: SpanId,
    pub(crate) parent_id: SpanId,
    pub(crate) start: Moment,
    pub(crate) end: Moment,
    pub(crate) outcome: Outcome,
    /// Its id went downstream, so it must be reported under its own name.
    pub(crate) propagated: bool,
    pub(crate) tail: Arc<Tail>,
    pub(crate) binds: Binds,
    /// Boxed: spans are passed on several times, and few are several.
    pub(crate) composite: Option<Box<Composite>>,
    /// The number of rows that a statement changed, if somebody said it.
    pub(crate) rows: Option<u64>,
    /// The database's work for a statement, if it was measured; of a composite the sums.
    pub(crate) cost: Option<Cost>,
    /// The stack it ended on, if it was long enough to have one.
    pub(crate) stack: Option<Box<[usize]>>,
}

/// Details of a query that are known when it has ended, beside its text.
#[derive(Debug, Default)]
pub(crate) struct QueryDetails {
    pub(crate) binds: Binds,
    /// The number of rows that it changed, if the database says it.
    pub(crate) rows: Option<u64>,
    /// Its cost, if the database says it.
    pub(crate) cost: Option<Cost>,
}

/// A span that ends. A [`FinishedSpan`] is large, so it is made of this in the place where it is kept.
#[derive(Debug)]
pub(crate) struct Ended<'a> {
    pub(crate) id: SpanId,
    pub(crate) parent_id: SpanId,
    pub(crate) start: Moment,
    pub(crate) end: Moment,
    pub(crate) outcome: Outcome,
    pub(crate) propagated: bool,
    pub(crate) tail: Arc<Tail>,
    pub(crate) query: &'a QueryDetails,
    pub(crate) stack: Option<Box<[usize]>>,
}

impl Ended<'_> {
    #[inline]
    pub(crate) fn into_span(self) -> FinishedSpan {
        let QueryDetails { binds, rows, cost } = self.query;
        FinishedSpan {
            id: self.id,
            parent_id: self.parent_id,
            start: self.start,
            end: self.end,
            outcome: self.outcome,
            propagated: self.propagated,
            tail: self.tail,
            binds: *binds,
            composite: None,
            rows: *rows,
            cost: *cost,
            stack: self.stack,
        }
    }
}

/// Several similar spans in a row, reported as one.
#[derive(Debug)]
pub(crate) struct Composite {
    pub(crate) count: u32,
    pub(crate) sum: Duration,
    pub(crate) strategy: Strategy,
    /// The name of a `same_kind` composite.
    pub(crate) renamed: Option<Box<str>>,
    pub(crate) last: Option<LastMerged>,
}

/// The span that was merged last, in case it has to come out again.
#[derive(Debug)]
pub(crate) struct LastMerged {
    pub(crate) id: SpanId,
    pub(crate) start: Moment,
    pub(crate) end: Moment,
    pub(crate) tail: Arc<Tail>,
    pub(crate) rows: Option<u64>,
    pub(crate) cost: Option<Cost>,
    /// The end of the composite without it.
    pub(crate) end_before: Moment,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strategy {
    ExactMatch,
    SameKind,
}

impl Strategy {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::ExactMatch => "exact_match",
            Self::SameKind => "same_kind",
        }
    }
}

impl FinishedSpan {
    /// From its start to its end; of a composite, from the first start to the last end.
    #[inline]
    pub(crate) fn duration(&self) -> Duration {
        self.end.since(self.start)
    }

    /// The same in whole microseconds.
    #[inline]
    pub(crate) fn micros(&self) -> u64 {
        self.end.micros_since(self.start)
    }

    /// The number of spans that it stands for.
    pub(crate) fn count(&self) -> u32 {
        self.composite
            .as_ref()
            .map_or(1, |composite| composite.count)
    }

    /// The time spent in the spans it stands for.
    pub(crate) fn sum(&self) -> Duration {
        self.composite
            .as_ref()
            .map_or_else(|| self.duration(), |composite| composite.sum)
    }
}
