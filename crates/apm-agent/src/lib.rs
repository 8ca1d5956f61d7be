#![doc = include_str!("../README.md")]
#![doc = ""]
// The README names items of all features. Where one is left out, its link leads to the table of features.
#![cfg_attr(
    feature = "actix",
    doc = "[`Agent::middleware`]: crate::Agent::middleware"
)]
#![cfg_attr(not(feature = "actix"), doc = "[`Agent::middleware`]: #features")]
#![cfg_attr(feature = "actix", doc = "[`actix::block`]: crate::actix::block")]
#![cfg_attr(not(feature = "actix"), doc = "[`actix::block`]: #features")]
#![cfg_attr(feature = "actix", doc = "[`actix::spawn`]: crate::actix::spawn")]
#![cfg_attr(not(feature = "actix"), doc = "[`actix::spawn`]: #features")]
#![cfg_attr(feature = "diesel", doc = "[`Agent::diesel`]: crate::Agent::diesel")]
#![cfg_attr(not(feature = "diesel"), doc = "[`Agent::diesel`]: #features")]
#![cfg_attr(
    feature = "diesel",
    doc = "[`diesel::AffectedRowsExt`]: crate::diesel::AffectedRowsExt"
)]
#![cfg_attr(
    not(feature = "diesel"),
    doc = "[`diesel::AffectedRowsExt`]: #features"
)]
#![cfg_attr(
    feature = "diesel",
    doc = "[`diesel::QueryResultExt`]: crate::diesel::QueryResultExt"
)]
#![cfg_attr(not(feature = "diesel"), doc = "[`diesel::QueryResultExt`]: #features")]
#![cfg_attr(
    feature = "awc",
    doc = "[`awc::ApmClientMiddleware`]: crate::awc::ApmClientMiddleware"
)]
#![cfg_attr(not(feature = "awc"), doc = "[`awc::ApmClientMiddleware`]: #features")]
#![cfg_attr(feature = "log", doc = "[`log::Logger`]: crate::log::Logger")]
#![cfg_attr(not(feature = "log"), doc = "[`log::Logger`]: #features")]
#![cfg_attr(feature = "log", doc = "[`log::format`]: crate::log::format")]
#![cfg_attr(not(feature = "log"), doc = "[`log::format`]: #features")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(missing_docs)]
#![cfg_attr(
    not(all(
        feature = "actix",
        feature = "log",
        feature = "sqlite-meter",
        feature = "tower",
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
pub use recording::db_span::{DbSpan, span_db, span_db_ended};
pub use recording::error::{capture_error, capture_message};
pub use recording::handle::{CurrentTransaction, InTransaction, Transaction, current_transaction};
pub use recording::http::HttpRequest;
pub use recording::outcome::Outcome;
pub use recording::span::{InSpan, SpanGuard, in_span, span};
pub use recording::stats::{DropReason, Stats};
pub use recording::transaction::extra::{LabelValue, User};
pub use trace::ids::{ErrorId, ParseIdError, SpanId, TraceId};
pub use trace::propagation::TraceContext;
pub use worker::metrics::{Counter, Gauge, Metrics};

/// Values of options that are one of a few words; see [`Builder`].
pub mod options {
    pub use crate::config::{CaptureBody, CloudProvider, LogEcsReformatting, LogLevel};
    pub use crate::trace::propagation::ContinuationStrategy;
}

/// For services on actix-web: the middleware, and what carries its transactions to other threads and tasks.
#[cfg(feature = "actix")]
pub mod actix {
    pub use crate::integrations::actix::{
        ApmBody, ApmFuture, ApmMiddleware, ApmService, Badge, BadgeFuture, BadgeService,
        ServerTiming, ServerTimingFuture, ServerTimingService, block, spawn,
    };
}

/// For requests of the HTTP client awc: spans, and the trace's headers.
#[cfg(feature = "awc")]
pub mod awc {
    pub use crate::integrations::awc::{ApmCall, ApmClient, ApmClientMiddleware};
}

/// For services with Diesel: spans of queries, and metrics of pools; see [`Agent::diesel`].
#[cfg(feature = "diesel")]
pub mod diesel {
    pub use crate::integrations::diesel::{
        AffectedRowsExt, Diesel, PoolEvents, QueryResultExt, QueryTracer, Traced,
    };
    #[cfg(feature = "sqlite-meter")]
    pub use crate::integrations::diesel::{NotMeasured, Sqlite};
}

#[cfg(feature = "testing")]
pub mod testing;

/// For services that log through the crate `log`: ids and errors of their lines.
#[cfg(feature = "log")]
pub mod log {
    pub use crate::integrations::log::{Logger, format, format_ecs};
}

/// For requests of the HTTP client reqwest: spans, and the trace's headers.
#[cfg(feature = "reqwest")]
pub mod reqwest {
    #[cfg(feature = "reqwest-middleware")]
    pub use crate::integrations::reqwest::ApmClientMiddleware;
    pub use crate::integrations::reqwest::RequestBuilderExt;
}

/// For services and clients that are made of `tower`: axum, tonic, hyper.
#[cfg(feature = "tower")]
pub mod tower {
    pub use crate::integrations::tower::{
        ApmBody, ApmClientBody, ApmClientFuture, ApmClientLayer, ApmClientService, ApmFuture,
        ApmLayer, ApmService, Badge, BadgeBody, BadgeFuture, BadgeService, ServerTiming,
        ServerTimingFuture, ServerTimingService,
    };
}

/// For code that uses the crate `tracing`: its spans and events.
#[cfg(feature = "tracing")]
pub mod tracing {
    pub use crate::integrations::tracing::{ApmLayer, layer};
}
