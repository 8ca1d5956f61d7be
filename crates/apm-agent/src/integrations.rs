//! Connections of the agent to libraries; each behind the feature of its name.

#[cfg(feature = "actix")]
pub(crate) mod actix;
#[cfg(feature = "awc")]
pub(crate) mod awc;
#[cfg(feature = "diesel")]
pub(crate) mod diesel;
#[cfg(any(
    feature = "awc",
    feature = "reqwest",
    feature = "tower",
    feature = "tracing"
))]
mod http_client;
#[cfg(any(feature = "actix", feature = "tower"))]
mod http_server;
#[cfg(feature = "log")]
pub(crate) mod log;
#[cfg(any(feature = "log", feature = "tracing"))]
mod logs;
#[cfg(any(feature = "actix", feature = "tower"))]
mod request_cost;
#[cfg(feature = "reqwest")]
pub(crate) mod reqwest;
#[cfg(feature = "tower")]
pub(crate) mod tower;
#[cfg(feature = "tracing")]
pub(crate) mod tracing;
