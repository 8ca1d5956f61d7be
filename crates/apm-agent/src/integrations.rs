//! What connects the agent to libraries; each behind the feature of its name.

#[cfg(feature = "actix")]
pub(crate) mod actix;
#[cfg(feature = "awc")]
pub(crate) mod awc;
#[cfg(feature = "diesel")]
pub(crate) mod diesel;
#[cfg(feature = "log")]
pub(crate) mod log;
#[cfg(feature = "reqwest")]
pub(crate) mod reqwest;
#[cfg(feature = "tracing")]
pub(crate) mod tracing;
#[cfg(feature = "actix")]
pub(crate) mod web;
