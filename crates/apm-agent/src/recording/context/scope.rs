//! The thread's one slot, and the scopes that take turns in it.
//!
//! A [`Scope`] is the context of one piece of running code: a request's future, a closure, a task, or a thread outside
//! of all these. Its base never changes while it runs. Guards that are open in it are kept in a list above the base, so
//! each is taken out by itself, in any order. [`Running`] puts a scope into the slot for the time of one poll or one
//! call, and takes the same scope out again. A guard that is dropped elsewhere, late or never therefore changes no
//! scope but its own.

use std::cell::RefCell;
use std::sync::{Arc, Weak};

use crate::recording::current::Current;
#[cfg(feature = "diesel")]
use crate::recording::leaf_span::Unfinished;
use crate::trace::ids::SpanId;

/// The context of one piece of running code.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    base: Option<Current>,
    /// Guards that are open, innermost last.
    open: Vec<Open>,
    /// Of a thread, outside of every other scope.
    shared: bool,
}

/// The context that an open guard has made current.
#[derive(Debug)]
struct Open {
    current: Option<Current>,
    holder: Holder,
    /// Whether it stays current after the end of its transaction: only where the service asked for that by a
    /// [`Context`](super::Context).
    outlives: bool,
    /// The task that it was opened in. Tasks that share a thread share the thread's scope, but not each other's guards.
    task: Option<tokio::task::Id>,
}

/// The owner that keeps a context current.
#[derive(Debug)]
enum Holder {
    /// The guard of the span.
    Span,
    /// A span of the crate `tracing`, by its number.
    #[cfg(feature = "tracing")]
    Tracing(u64),
    /// A guard that has the other end of this.
    Guard(Weak<()>),
}

impl Open {
    /// Whether it still counts. Its guard may have been dropped while another scope was running.
    fn counts(&self, shared: bool) -> bool {
        let span = self.current.as_ref().and_then(|it| it.span.as_ref());
        let held = match &self.holder {
            Holder::Span => span.is_none_or(|span| !span.has_ended()),
            #[cfg(feature = "tracing")]
            Holder::Tracing(_) => span.is_none_or(|span| !span.has_ended()),
            Holder::Guard(guard) => guard.strong_count() > 0,
        };
        let ended = || {
            let transaction = self.current.as_ref().map(|it| &it.transaction);
            transaction.is_some_and(|transaction| transaction.has_ended())
        };
        held && (self.outlives || !ended()) && (!shared || self.task == tokio::task::try_id())
    }
}

impl Scope {
    pub(crate) fn new(base: Option<Current>) -> Self {
        Self {
            base,
            open: Vec::new(),
            shared: false,
        }
    }

    /// Changes what the scope begins with.
    pub(crate) fn set_base(&mut self, base: Option<Current>) {
        self.base = base;
    }

    /// Part by part, which is a few moves: as a whole, and by `swap`, bytes are exchanged in a loop.
    #[inline]
    fn swap(&mut self, other: &mut Self) {
        let Self { base, open, shared } = std::mem::take(other);
        other.base = std::mem::replace(&mut self.base, base);
        other.open = std::mem::replace(&mut self.open, open);
        other.shared = std::mem::replace(&mut self.shared, shared);
    }

    pub(crate) fn base(&self) -> Option<&Current> {
        self.base.as_ref()
    }

    #[inline]
    fn innermost(&self) -> Option<&Open> {
        // Mostly there is none.
        if self.open.is_empty() {
            return None;
        }
        self.open.iter().rfind(|open| open.counts(self.shared))
    }

    #[inline]
    fn current(&self) -> Option<&Current> {
        match self.innermost() {
            Some(open) => open.current.as_ref(),
            None => self.base.as_ref(),
        }
    }

    fn push(&mut self, current: Option<Current>, holder: Holder, outlives: Option<bool>) {
        let inherited = || self.innermost().is_none_or(|open| open.outlives);
        let outlives = outlives.unwrap_or_else(inherited);
        // Guards that ended while another scope ran are removed now.
        while self.open.last().is_some_and(|open| !open.counts(false)) {
            self.open.pop();
        }
        self.open.push(Open {
            current,
            holder,
            outlives,
            task: self.shared.then(tokio::task::try_id).flatten(),
        });
    }

    /// Takes out the innermost guard that fits; the caller drops it once the slot is free again.
    fn take(&mut self, fits: impl Fn(&Open) -> bool) -> Option<Open> {
        let place = self.open.iter().rposition(fits)?;
        Some(self.open.remove(place))
    }
}

#[derive(Debug)]
struct Slot {
    scope: RefCell<Scope>,
    #[cfg(feature = "diesel")]
    unfinished: RefCell<Unfinished>,
}

impl Slot {
    /// Puts a scope into the slot, and takes out the one that is there. Whether it could.
    fn swap(&self, scope: &mut Scope) -> bool {
        let here = self.scope.try_borrow_mut();
        here.map(|mut here| here.swap(scope)).is_ok()
    }

    /// The number of blocking calls that are under way.
    #[cfg(feature = "diesel")]
    fn under_way(&self) -> usize {
        let unfinished = self.unfinished.try_borrow();
        unfinished.map_or(usize::MAX, |unfinished| unfinished.len())
    }

    #[cfg(not(feature = "diesel"))]
    fn under_way(&self) -> usize {
        0
    }
}

thread_local! {
    static SLOT: Slot = const {
        Slot {
            scope: RefCell::new(Scope {
                base: None,
                open: Vec::new(),
                shared: true,
            }),
            #[cfg(feature = "diesel")]
            unfinished: RefCell::new(Unfinished::new()),
        }
    };
}

/// Changes the scope in the slot. While a thread is being torn down there is none.
fn change<R>(change: impl FnOnce(&mut Scope) -> R) -> Option<R> {
    let changed = SLOT.try_with(|slot| Some(change(&mut *slot.scope.try_borrow_mut().ok()?)));
    changed.ok().flatten()
}

/// Looks at what is current. The slot cannot be changed meanwhile: `look` must not run code of the service.
pub(crate) fn with<R>(look: impl FnOnce(&Current) -> Option<R>) -> Option<R> {
    let seen = SLOT.try_with(|slot| look(slot.scope.try_borrow().ok()?.current()?));
    seen.ok().flatten()
}

/// A clone of what is current.
pub(crate) fn current() -> Option<Current> {
    with(|current| Some(current.clone()))
}

/// Makes a span current until [`leave_span`], or until it ends.
pub(crate) fn enter_span(current: Current) {
    change(|scope| scope.push(Some(current), Holder::Span, None));
}

pub(crate) fn leave_span(id: SpanId) {
    let is_it = |open: &Open| {
        let span = open.current.as_ref().and_then(|it| it.span.as_ref());
        matches!(open.holder, Holder::Span) && span.is_some_and(|span| span.id == id)
    };
    drop(change(|scope| scope.take(is_it)));
}

/// Makes a span of the crate `tracing` current until [`leave_tracing`], or until it is closed.
#[cfg(feature = "tracing")]
pub(crate) fn enter_tracing(number: u64, current: Current) {
    change(|scope| scope.push(Some(current), Holder::Tracing(number), None));
}

#[cfg(feature = "tracing")]
pub(crate) fn leave_tracing(number: u64) {
    let is_it = |open: &Open| matches!(open.holder, Holder::Tracing(it) if it == number);
    drop(change(|scope| scope.take(is_it)));
}

/// Makes something current until [`leave_guard`], or until the guard is gone.
pub(super) fn enter_guard(guard: &Arc<()>, current: Option<Current>, outlives: bool) {
    let holder = Holder::Guard(Arc::downgrade(guard));
    change(|scope| scope.push(current, holder, Some(outlives)));
}

pub(super) fn leave_guard(guard: &Arc<()>) {
    let is_it = |open: &Open| match &open.holder {
        Holder::Guard(it) => std::ptr::eq(it.as_ptr(), Arc::as_ptr(guard)),
        _ => false,
    };
    drop(change(|scope| scope.take(is_it)));
}

/// Runs code in a scope until it is dropped, which happens in the order of the stack.
#[derive(Debug)]
pub(crate) struct Running<'a> {
    scope: &'a mut Scope,
    swapped: bool,
    /// Blocking calls that were under way before.
    unfinished: usize,
    pub(crate) paused: bool,
}

impl<'a> Running<'a> {
    pub(crate) fn new(scope: &'a mut Scope) -> Self {
        // The slot is looked up once: for a short request that is a part of the cost.
        let entered = SLOT.try_with(|slot| (slot.swap(scope), slot.under_way()));
        let (swapped, unfinished) = entered.unwrap_or((false, usize::MAX));
        Self {
            scope,
            swapped,
            unfinished,
            paused: false,
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let left = SLOT.try_with(|slot| {
            if self.swapped {
                slot.swap(self.scope);
            }
            slot.under_way() > self.unfinished
        });
        // A task that waits may hold on to rows that it reads.
        if left == Ok(true) && (!self.paused || std::thread::panicking()) {
            fail_unfinished(self.unfinished);
        }
    }
}

/// Changes the list of blocking calls that are under way on this thread.
#[cfg(feature = "diesel")]
pub(crate) fn unfinished<R>(change: impl FnOnce(&mut Unfinished) -> R) -> Option<R> {
    let changed = SLOT.try_with(|slot| Some(change(&mut *slot.unfinished.try_borrow_mut().ok()?)));
    changed.ok().flatten()
}

/// The number of blocking calls that are under way on this thread.
#[cfg(feature = "diesel")]
pub(super) fn under_way() -> usize {
    SLOT.try_with(Slot::under_way).unwrap_or(usize::MAX)
}

/// Ends the calls that were begun behind the first `before`: the code that made them is over, and nobody told of their
/// end.
#[cfg(feature = "diesel")]
pub(super) fn fail_unfinished(before: usize) {
    // The slot is free while a call ends, which looks into it.
    while let Some(mut call) = unfinished(|unfinished| unfinished.pop_behind(before)).flatten() {
        call.fail();
    }
}

/// Only queries are calls of which nobody may tell the end.
#[cfg(not(feature = "diesel"))]
fn fail_unfinished(_: usize) {}
