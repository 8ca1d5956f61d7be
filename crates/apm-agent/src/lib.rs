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
mod config;
mod encode;
#[cfg(test)]
mod fixtures;
mod integrations;
mod recording;
mod sanitize;
mod sql;
mod trace;
mod util;
mod worker;

pub use agent::{Agent, AgentGuard, Builder, ConfigError, flush};
pub use recording::context::{Context, Entered, InContext, current_trace_ids};
pub use recording::current::TraceIds;
pub use recording::error::{capture_error, capture_message};
pub use recording::handle::{CurrentTransaction, InTransaction, Transaction, current_transaction};
pub use recording::outcome::Outcome;
pub use recording::span::{InSpan, SpanGuard, in_span, span};
pub use recording::stats::{DropReason, Stats};
pub use recording::transaction::extra::{LabelValue, User};
pub use trace::ids::{ErrorId, SpanId, TraceId};
pub use trace::propagation::TraceContext;
pub use worker::metrics::{Counter, Gauge, Metrics};

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
