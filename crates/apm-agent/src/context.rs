//! "The current transaction and span": one slot per thread.
//!
//! The slot is filled only while code of the transaction runs: around every poll of a future ([`InContext`]) and inside guards
//! that cannot leave their thread ([`Entered`]). Whoever fills it puts back what was there, also while unwinding.
//! Nothing propagates by itself: not `web::block`, not `rt::spawn`; [`Context`] is what a task takes along.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use pin_project_lite::pin_project;

use crate::ids::{SpanId, TraceId};
use crate::span::ActiveSpan;
use crate::transaction::Core;

/// The transaction that code runs for, and the span if one is open.
#[derive(Clone, Debug)]
pub(crate) struct Current {
    pub(crate) transaction: Arc<Core>,
    pub(crate) span: Option<Arc<ActiveSpan>>,
}

impl Current {
    /// The id that a new span has for its parent.
    pub(crate) fn parent_id(&self) -> SpanId {
        self.span
            .as_ref()
            .map_or(self.transaction.identity.id, |span| span.id)
    }
}

thread_local! {
    static SLOT: Cell<Option<Current>> = const { Cell::new(None) };
}

/// Fills the slot and gives back what was in it. While a thread is being torn down there is no slot: nothing is current then.
pub(crate) fn replace(next: Option<Current>) -> Option<Current> {
    SLOT.try_with(|slot| slot.replace(next)).unwrap_or(None)
}

/// Looks at the slot. It is empty while `look` runs, so `look` sees no context of its own: keep code of the service out of it.
pub(crate) fn with<R>(look: impl FnOnce(Option<&Current>) -> R) -> R {
    let current = Restore(replace(None));
    look(current.0.as_ref())
}

/// What is current, to keep.
pub(crate) fn current() -> Option<Current> {
    with(|current| current.cloned())
}

/// Puts its value into the slot when it is dropped.
struct Restore(Option<Current>);

impl Drop for Restore {
    fn drop(&mut self) {
        if self.0.is_some() {
            replace(self.0.take());
        }
    }
}

/// Keeps a context current until it is dropped, on this thread.
#[derive(Debug)]
#[must_use = "the context is left as soon as the guard is dropped"]
pub struct Entered {
    previous: Option<Current>,
    not_send: PhantomData<*const ()>,
}

impl Entered {
    pub(crate) fn new(current: Option<Current>) -> Self {
        Self {
            previous: replace(current),
            not_send: PhantomData,
        }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        replace(self.previous.take());
    }
}

/// What a task takes along when it leaves the thread or the future it was born in: the current transaction and span, or nothing.
///
/// ```
/// let context = apm_agent::Context::current();
/// std::thread::spawn(move || {
///     let _entered = context.enter();
///     // spans that begin here belong to the transaction of the thread that spawned this one
/// });
/// ```
#[derive(Clone, Default)]
pub struct Context(Option<Current>);

impl Context {
    /// What is current here.
    #[must_use]
    pub fn current() -> Self {
        Self(current())
    }

    pub(crate) fn of(current: Current) -> Self {
        Self(Some(current))
    }

    /// Whether there is a transaction in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Makes it current on this thread until the guard is dropped. Never hold the guard across an `.await`: use [`Context::wrap`].
    pub fn enter(&self) -> Entered {
        Entered::new(self.0.clone())
    }

    /// Runs a closure in it.
    pub fn run<R>(&self, closure: impl FnOnce() -> R) -> R {
        let _entered = self.enter();
        closure()
    }

    /// Runs a future in it: it is current during every poll.
    pub fn wrap<F>(self, future: F) -> InContext<F> {
        InContext {
            future,
            current: self.0,
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Context")
            .field(&self.0.as_ref().map(TraceIds::of))
            .finish()
    }
}

pin_project! {
    /// A future that runs in a [`Context`].
    #[must_use = "futures do nothing unless polled"]
    pub struct InContext<F> {
        #[pin]
        future: F,
        current: Option<Current>,
    }
}

impl<F> fmt::Debug for InContext<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InContext")
            .field("trace", &self.current.as_ref().map(TraceIds::of))
            .finish_non_exhaustive()
    }
}

impl<F: Future> Future for InContext<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _swapped = Swapped::new(this.current);
        this.future.poll(task)
    }
}

/// Moves a context into the slot, and back to its owner when dropped: no reference counting per poll.
pub(crate) struct Swapped<'a> {
    owner: &'a mut Option<Current>,
    previous: Option<Current>,
}

impl<'a> Swapped<'a> {
    pub(crate) fn new(owner: &'a mut Option<Current>) -> Self {
        let previous = replace(owner.take());
        Self { owner, previous }
    }
}

impl Drop for Swapped<'_> {
    fn drop(&mut self) {
        *self.owner = replace(self.previous.take());
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
    pub(crate) fn of(current: &Current) -> Self {
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

/// The ids of the current transaction and span; `None` outside a transaction.
///
/// ```
/// use std::io::Write as _;
/// env_logger::Builder::new().format(|out, record| match apm_agent::current_trace_ids() {
///     Some(ids) => writeln!(out, "{} {} [{ids}]", record.level(), record.args()),
///     None => writeln!(out, "{} {}", record.level(), record.args()),
/// });
/// ```
#[must_use]
pub fn current_trace_ids() -> Option<TraceIds> {
    with(|current| current.map(TraceIds::of))
}
