//! The observer of all connections that the process opens.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use crate::finished::Finished;

/// A function, not a closure: it is called on any thread, and for as long as the process lives.
type EveryObserver = fn(&Finished<'_>);

static OBSERVER: OnceLock<EveryObserver> = OnceLock::new();

/// Sets the observer, if there is none. Returns whether it is this one.
pub(crate) fn set(observer: EveryObserver) -> bool {
    std::ptr::fn_addr_eq(*OBSERVER.get_or_init(|| observer), observer)
}

/// Whether connections are to be traced from their opening on.
pub(crate) fn is_set() -> bool {
    OBSERVER.get().is_some()
}

/// Hands a statement to the observer, if there is one. A panic must not reach SQLite.
#[inline]
pub(crate) fn report(finished: &Finished<'_>) {
    if let Some(observer) = OBSERVER.get() {
        let _ = catch_unwind(AssertUnwindSafe(|| observer(finished)));
    }
}
