//! "The current transaction and span" of a thread.
//!
//! It is kept in one slot per thread, in which scopes take turns: around every poll of a future ([`InContext`]), around
//! closures, and for guards that cannot leave their thread ([`Entered`]). Whatever is open in a scope stays in that
//! scope. Nothing propagates by itself: not `web::block`, not `rt::spawn`; [`Context`] is what a task takes along.

mod scope;

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use pin_project_lite::pin_project;

use crate::recording::current::{Current, TraceIds};
#[cfg(feature = "diesel")]
use crate::recording::leaf_span::Call;
use crate::recording::leaf_span::LeafSpan;
use crate::recording::span_kind::SpanKind;

#[cfg(feature = "diesel")]
pub(crate) use scope::unfinished;
pub(crate) use scope::{Running, Scope, current, enter_span, leave_span, with};
#[cfg(feature = "tracing")]
pub(crate) use scope::{enter_tracing, leave_tracing};

/// Keeps a context current until it is dropped, on this thread and, inside of a task, for this task only.
///
/// It undoes only what it did itself: dropped late, in another order or in another task, it changes no other context.
#[derive(Debug)]
#[must_use = "the context is left as soon as the guard is dropped"]
pub struct Entered {
    guard: Arc<()>,
    /// Blocking calls that were under way before.
    #[cfg(feature = "diesel")]
    unfinished: usize,
    not_send: PhantomData<*const ()>,
}

impl Entered {
    /// `outlives`: it stays current after the end of its transaction.
    pub(crate) fn new(current: Option<Current>, outlives: bool) -> Self {
        let guard = Arc::new(());
        scope::enter_guard(&guard, current, outlives);
        Self {
            guard,
            #[cfg(feature = "diesel")]
            unfinished: scope::under_way(),
            not_send: PhantomData,
        }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        scope::leave_guard(&self.guard);
        #[cfg(feature = "diesel")]
        scope::fail_unfinished(self.unfinished);
    }
}

/// Runs a closure in a context of its own: what it leaves open is closed with it.
pub(crate) fn run<R>(current: Option<Current>, closure: impl FnOnce() -> R) -> R {
    let mut scope = Scope::new(current);
    let _running = Running::new(&mut scope);
    closure()
}

/// The context that a task takes along when it leaves the thread or the future it was born in: the current transaction
/// and span, or nothing.
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
    /// The current transaction and span here.
    #[must_use]
    pub fn current() -> Self {
        Self(current())
    }

    pub(crate) fn new(current: Option<Current>) -> Self {
        Self(current)
    }

    /// Whether there is a transaction in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Makes it current on this thread until the guard is dropped. Across an `.await` use [`Context::wrap`], and for a
    /// closure [`Context::run`]: a guard that is leaked by `mem::forget` on a thread outside of these leaves its
    /// context there.
    pub fn enter(&self) -> Entered {
        Entered::new(self.0.clone(), true)
    }

    /// Runs a closure in it.
    pub fn run<R>(&self, closure: impl FnOnce() -> R) -> R {
        run(self.0.clone(), closure)
    }

    /// The same, for a context that is not needed afterwards: it is moved, not cloned.
    #[cfg(feature = "actix")]
    pub(crate) fn run_once<R>(self, closure: impl FnOnce() -> R) -> R {
        run(self.0, closure)
    }

    /// Runs a future in it: it is current during every poll.
    pub fn wrap<F>(self, future: F) -> InContext<F> {
        InContext {
            future,
            scope: Scope::new(self.0),
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Context")
            .field(&self.0.as_ref().map(TraceIds::from_current))
            .finish()
    }
}

pin_project! {
    /// A future that runs in a [`Context`].
    #[must_use = "futures do nothing unless polled"]
    pub struct InContext<F> {
        #[pin]
        future: F,
        scope: Scope,
    }
}

impl<F> InContext<F> {
    /// Changes the context of a future that was not polled yet.
    pub(crate) fn set_current(self: Pin<&mut Self>, current: Option<Current>) {
        self.project().scope.set_base(current);
    }
}

impl<F> fmt::Debug for InContext<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InContext")
            .field("trace", &self.scope.base().map(TraceIds::from_current))
            .finish_non_exhaustive()
    }
}

impl<F: Future> Future for InContext<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let mut running = Running::new(this.scope);
        let polled = this.future.poll(task);
        running.paused = polled.is_pending();
        polled
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
    with(|current| Some(TraceIds::from_current(current)))
}

/// Begins an exit span under what is current; `None` without a transaction that wants it.
pub(crate) fn begin_leaf(kind: &Arc<SpanKind>) -> Option<LeafSpan> {
    with(|current| LeafSpan::begin(current, kind))
}

/// Begins a call under what is current. Whether there is a transaction that wants it.
#[cfg(feature = "diesel")]
pub(crate) fn begin_call(call: &mut Call, kind: &Arc<SpanKind>) -> bool {
    with(|current| call.begin(current, kind).then_some(())).is_some()
}
