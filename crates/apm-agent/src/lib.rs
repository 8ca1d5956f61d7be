#![doc = include_str!("../README.md")]
#![cfg_attr(
    not(all(
        feature = "actix",
        feature = "sqlite-meter",
        any(feature = "awc", feature = "reqwest")
    )),
    expect(
        dead_code,
        reason = "an integration that is left out leaves behind what only it uses"
    )
)]

mod agent;
mod binds;
mod bounded;
mod breakdown;
mod builder;
mod chores;
mod clock;
mod compression;
mod config;
mod context;
mod cost;
mod encode;
mod error;
#[cfg(test)]
mod fixtures;
mod hosts;
#[cfg(any(feature = "awc", feature = "reqwest"))]
mod http_client;
mod ids;
mod integrations;
#[cfg(any(feature = "log", feature = "tracing"))]
mod logs;
mod metadata;
mod methods;
mod metrics;
mod model;
mod outcome;
mod own_log;
mod panic;
mod sampler;
mod sanitize;
mod service_target;
mod span;
mod span_kind;
mod sql;
mod stacktrace;
mod stats;
mod trace_context;
mod transaction;
mod transport;
mod wildcard;

pub use agent::{Agent, AgentGuard, flush};
pub use builder::{Builder, ConfigError};
pub use context::{Context, Entered, InContext, TraceIds, current_trace_ids};
pub use error::{capture_error, capture_message};
pub use ids::{ErrorId, SpanId, TraceId};
pub use metrics::{Counter, Gauge, Metrics};
pub use outcome::Outcome;
pub use span::{InSpan, SpanGuard, in_span, span};
pub use stats::{DropReason, Stats};
pub use trace_context::TraceContext;
pub use transaction::{
    CurrentTransaction, InTransaction, LabelValue, Transaction, User, current_transaction,
};

#[cfg(feature = "actix")]
pub use integrations::web::spawn;

/// The middleware for actix-web, by the names of its types; see [`Agent::middleware`].
#[cfg(feature = "actix")]
pub mod actix {
    pub use crate::integrations::actix::{Apm, ApmBody, ApmFuture, ApmService};
}

/// The middleware for the HTTP client awc.
#[cfg(feature = "awc")]
pub mod awc {
    pub use crate::integrations::awc::{Apm, ApmCall, ApmClient};
}

/// Tracing of Diesel's connections, by the names of its types; see [`Agent::diesel`].
#[cfg(feature = "diesel")]
pub mod diesel {
    pub use crate::integrations::diesel::{
        AffectedRowsExt, Diesel, PoolEvents, QueryResultExt, Traced,
    };
}

#[cfg(feature = "testing")]
pub mod testing;

/// For services that log through the crate `log`.
#[cfg(feature = "log")]
pub mod log {
    pub use crate::integrations::log::{Logger, format};
}

/// Requests of the HTTP client reqwest.
#[cfg(feature = "reqwest")]
pub mod reqwest {
    #[cfg(feature = "reqwest-middleware")]
    pub use crate::integrations::reqwest::Apm;
    pub use crate::integrations::reqwest::RequestBuilderExt;
}

/// A layer for code that uses the crate `tracing`.
#[cfg(feature = "tracing")]
pub mod tracing {
    pub use crate::integrations::tracing::{ApmLayer, layer};
}

/// Replacements for functions of `actix_web::web`.
#[cfg(feature = "actix")]
pub mod web {
    pub use crate::integrations::web::block;
}
