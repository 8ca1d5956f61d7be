//! The lock of the agent's data.
//!
//! A request with seven queries takes about forty locks, of which hardly any is ever waited for. The standard library's
//! lock looks with each whether the thread is panicking, and is no part of the code around it. The one of `parking_lot`
//! is one exchange in place (ADR 441).

use std::panic::{RefUnwindSafe, UnwindSafe};

pub(crate) use parking_lot::MutexGuard;

/// Data behind a lock. A panic while it was held cannot have left the data half-written in a way that matters here: at
/// worst one line is cut, and the server reports that line.
#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(parking_lot::Mutex<T>);

// As the standard library's lock: what holds one may be a part of what a service catches panics of.
impl<T> UnwindSafe for Mutex<T> {}
impl<T> RefUnwindSafe for Mutex<T> {}

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(parking_lot::Mutex::new(value))
    }

    /// The data, if no other thread has it.
    #[inline]
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.0.try_lock()
    }

    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }
}

/// The data behind a lock.
#[inline]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.0.lock()
}
