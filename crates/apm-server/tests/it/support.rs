//! Helpers of several tests.

pub(crate) mod events;
pub(crate) mod fixtures;
pub(crate) mod otlp;
pub(crate) mod server;
