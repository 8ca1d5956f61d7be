//! Elastic APM agent for actix-web and Diesel.
#![expect(
    dead_code,
    unused_imports,
    reason = "the leaf modules land before what calls them"
)]

mod config;
#[cfg(test)]
mod fixtures;
mod ids;
mod metadata;
mod sampler;
mod sanitize;
mod service_target;
mod sql;
mod trace_context;
mod wildcard;

pub use ids::{ErrorId, SpanId, TraceId};
pub use trace_context::TraceContext;
