//! Panics of handlers, where they are to be answered.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs code of the service; `None` if it panicked. Nothing of the agent's is left half-done by a panic; of the service,
/// nothing may be used again that was under way.
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
