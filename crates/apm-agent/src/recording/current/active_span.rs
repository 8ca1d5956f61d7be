//! Spans that are open and may have children, and what every span does when it begins and ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Current;
use crate::recording::compression;
use crate::recording::finished_span::{Ended, FinishedSpan};
use crate::recording::outcome::Outcome;
use crate::recording::self_time::ChildTime;
use crate::recording::span_kind::SpanKind;
use crate::recording::transaction::Core;
use crate::trace::ids::SpanId;
use crate::util::clock::Moment;
use crate::util::{Mutex, lock};

/// A span that is open and may have children.
#[derive(Debug)]
pub(crate) struct ActiveSpan {
    pub(crate) id: SpanId,
    pub(crate) start: Moment,
    /// It got a place below the limit when it began.
    pub(crate) admitted: bool,
    pub(crate) parent: Option<Arc<ActiveSpan>>,
    pub(crate) parent_id: SpanId,
    pub(crate) has_ended: AtomicBool,
    pub(crate) state: Mutex<ActiveState>,
}

#[derive(Debug, Default)]
pub(crate) struct ActiveState {
    pub(crate) ended: bool,
    pub(crate) errored: bool,
    pub(crate) children: ChildTime,
    /// The child that compression keeps back.
    pub(crate) kept: Option<FinishedSpan>,
}

/// The beginning of a span: id, time and place in the tree.
#[derive(Debug)]
pub(crate) struct Beginning {
    pub(crate) id: SpanId,
    pub(crate) parent_id: SpanId,
    pub(crate) start: Moment,
    pub(crate) admitted: bool,
}

/// Begins a span under `current`; `None` if it is not to be recorded at all.
pub(crate) fn begin(current: &Current) -> Option<Beginning> {
    begin_at(current, None)
}

/// The same for a span that may have started before.
#[inline]
pub(crate) fn begin_at(current: &Current, start: Option<Moment>) -> Option<Beginning> {
    let core = &current.transaction;
    if !core.records_spans() {
        return None;
    }
    let start = start.unwrap_or_else(Moment::now);
    let (id, admitted) = core.admit_span(start, current.span.is_none());
    if let Some(parent) = &current.span {
        lock(&parent.state).children.child_started(start);
    }
    Some(Beginning {
        id,
        parent_id: current.parent_id(),
        start,
        admitted,
    })
}

/// The addresses of the calling thread's stack, for a span that was long enough to deserve them.
#[inline]
pub(crate) fn stack_of(core: &Core, (start, end): (Moment, Moment)) -> Option<Box<[usize]>> {
    let min = core.settings.stack_trace_min_duration?;
    let stack = end
        .is_after(start, min)
        .then(|| core.recorder.capture_stack())?;
    (!stack.is_empty()).then(|| stack.into_boxed_slice())
}

/// Ends a span: tells its parent, and reports what can be reported. `self_time`: nanoseconds.
#[inline]
pub(crate) fn finish(core: &Core, parent: Option<&ActiveSpan>, ended: Ended<'_>, self_time: u64) {
    let times = (ended.start, ended.end);
    core.tell_query(&ended.tail.kind, Some(&ended.tail), times);
    match parent {
        None => core.end_child(ended, self_time),
        Some(parent) => finish_below(core, parent, ended, self_time),
    }
}

/// The same for a span whose parent is a span.
fn finish_below(core: &Core, parent: &ActiveSpan, ended: Ended<'_>, self_time: u64) {
    core.end_descendant(&ended.tail.kind, self_time);
    // The lock of a span is taken before that of its transaction, here and wherever both are.
    let mut state = lock(&parent.state);
    state.children.child_ran(ended.start, ended.end);
    let span = ended.into_span();
    if state.ended {
        if let Some(kept) = state.kept.take() {
            core.report(kept);
        }
        core.report(span);
    } else {
        compression::offer(&mut state.kept, span, core.thresholds(), |span| {
            core.report(span)
        });
    }
}

/// Ends a span that was over the limit.
pub(crate) fn finish_dropped(
    core: &Core,
    parent: Option<&ActiveSpan>,
    kind: &Arc<SpanKind>,
    outcome: Outcome,
    (start, end): (Moment, Moment),
    self_time: Option<u64>,
) {
    core.tell_query(kind, None, (start, end));
    if let Some(parent) = parent {
        lock(&parent.state).children.child_ended(end);
    }
    let self_time = self_time.unwrap_or_else(|| end.nanos_since(start));
    core.end_dropped(kind, outcome, start, end, self_time, parent.is_none());
}

/// The last query under `current` has changed so many rows, as its caller found out.
#[cfg(feature = "diesel")]
pub(crate) fn set_rows_of_last_query(current: &Current, rows: usize) {
    match &current.span {
        None => {
            let mut state = lock(&current.transaction.state);
            compression::set_rows_of_last_query(state.reported.kept(), rows);
        }
        Some(parent) => {
            compression::set_rows_of_last_query(lock(&parent.state).kept.as_mut(), rows);
        }
    }
}

/// The last query under `current` has failed, as its caller found out.
pub(crate) fn fail_last_query(current: &Current) {
    let core = &current.transaction;
    match &current.span {
        None => core.fail_last_query(),
        Some(parent) => {
            let mut state = lock(&parent.state);
            compression::fail_last_query(&mut state.kept, |span| core.report(span));
        }
    }
}

impl ActiveSpan {
    /// Nothing is to be made current by it any more.
    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Relaxed)
    }

    /// An error was captured in it.
    pub(crate) fn errored(&self) {
        lock(&self.state).errored = true;
    }
}
