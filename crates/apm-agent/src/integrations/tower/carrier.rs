//! Runs code of a request: in its context, and where the crate `tracing` is in use, in a span that takes it along.

use crate::recording::context::{Running, Scope};

#[cfg(feature = "tracing")]
pub(super) use crate::integrations::tracing::Carrier;

/// Without the crate `tracing` there is nothing to take it along.
#[cfg(not(feature = "tracing"))]
#[derive(Debug)]
pub(super) struct Carrier;

#[cfg(not(feature = "tracing"))]
impl Carrier {
    pub(super) fn new() -> Self {
        Self
    }

    pub(super) fn none() -> Self {
        Self
    }

    pub(super) fn enter(&self) -> Option<&Self> {
        None
    }
}

/// Runs code in a scope. `goes_on` says whether what it was part of goes on later.
pub(super) fn run<R>(
    scope: &mut Scope,
    carrier: &Carrier,
    code: impl FnOnce() -> R,
    goes_on: impl FnOnce(&R) -> bool,
) -> R {
    let mut running = Running::new(scope);
    let _entered = carrier.enter();
    let done = code();
    running.paused = goes_on(&done);
    done
}
