//! Panics of handlers, where they are to be answered.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs code of the service; `None` if it panicked. Nothing of the agent's is left half-done by a panic. What the
/// service had under way may not be used again.
pub(crate) fn caught<T>(run: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(value) => Some(value),
        Err(payload) => {
            // The payload is the service's, and may panic as well when it is dropped.
            if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
                std::mem::forget(another);
            }
            None
        }
    }
}

/// Drops what it holds where a panic passes by, and not only when the future that it is part of is dropped: whoever
/// catches the panic may do that much later.
#[derive(Debug)]
pub(crate) struct OnPanic<'a, T>(pub(crate) &'a mut Option<T>);

impl<T> Drop for OnPanic<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            drop(self.0.take());
        }
    }
}
