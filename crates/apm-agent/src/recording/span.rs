//! Spans that are current while they run: by hand, and for the layer of `tracing`.
//!
//! Nothing here blocks, and nothing is done when there is no transaction, or when it is not sampled.

mod guard;
mod recording;

pub use guard::{InSpan, SpanGuard, in_span, span};
#[cfg(feature = "tracing")]
pub(crate) use recording::{Description, Recording};
