//! Helpers that every part of the agent uses. They know nothing of telemetry.

pub(crate) mod bounded;
pub(crate) mod clock;
pub(crate) mod list;
pub(crate) mod methods;
pub(crate) mod own_log;
pub(crate) mod spare;
pub(crate) mod striped;
pub(crate) mod wildcard;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The data behind a lock. A panic while it was held cannot have left it half-written in a way that matters here: at
/// worst one line is cut, and the server reports that line.
#[inline]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
