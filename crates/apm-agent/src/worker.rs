//! The agent's own thread: it sends what was recorded, and does everything that is too slow for a thread of the
//! service.
//!
//! The [`sender`] takes the bodies that are full or ripe and posts them by the [`client`]. Between two bodies it does
//! what is due: stack traces of errors, metrics. Central configuration and the server's version are polled beside it.

mod backoff;
pub(crate) mod central_config;
pub(crate) mod client;
pub(crate) mod errors;
pub(crate) mod metadata;
pub(crate) mod metrics;
pub(crate) mod periodic;
mod refusal;
pub(crate) mod sender;
pub(crate) mod server_info;
pub(crate) mod shared;
mod stacktrace;
pub(crate) mod tls;
