//! A span that is not recorded, and takes a transaction of the agent's own along to wherever `tracing` takes its spans:
//! to threads of sqlx, and to tasks that are spawned `in_current_span`.

use std::sync::atomic::{AtomicBool, Ordering};

use ::tracing::Metadata;
#[cfg(feature = "tower")]
use ::tracing::span::{Entered, Span};

const TARGET: &str = "apm_agent::request";

/// Whether there is a layer that knows these spans.
static INSTALLED: AtomicBool = AtomicBool::new(false);

pub(super) fn set_installed() {
    INSTALLED.store(true, Ordering::Relaxed);
}

pub(super) fn is_carrier(metadata: &Metadata<'_>) -> bool {
    metadata.target() == TARGET
}

/// The span of a request.
#[cfg(feature = "tower")]
#[derive(Debug)]
pub(crate) struct Carrier(Span);

#[cfg(feature = "tower")]
impl Carrier {
    /// Takes along what is current. Without the layer it does nothing.
    pub(crate) fn new() -> Self {
        Self(match INSTALLED.load(Ordering::Relaxed) {
            // Filters let errors pass, whatever they are set to.
            true => ::tracing::error_span!(target: TARGET, "request"),
            false => Span::none(),
        })
    }

    /// One that does nothing.
    pub(crate) fn none() -> Self {
        Self(Span::none())
    }

    /// Makes it the current span of the crate `tracing` until the guard is dropped.
    pub(crate) fn enter(&self) -> Entered<'_> {
        self.0.enter()
    }
}
