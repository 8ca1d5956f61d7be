//! A directory of people on sqlx, of pets on rusqlite and of cats on SeaORM, as a service on axum.
//!
//! [`with_hyper`] is a service without axum, also for calls by gRPC.
//!
//! `cargo run --manifest-path crates/apm-agent/services/Cargo.toml` starts it on 127.0.0.1:8081.
//!
//! The programs `client` and `otel` are clients of `.ci/clients`: each asks such a service a few things and ends.

pub mod ask;
pub mod with_hyper;
pub mod with_rusqlite;
pub mod with_sea_orm;
pub mod with_sqlx;

use apm_agent::tower::ApmLayer;
use axum::Router;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

/// The service, with a transaction per request.
pub fn service(
    agent: &apm_agent::Agent,
    people: with_sqlx::People,
    pets: with_rusqlite::Pets,
    cats: with_sea_orm::Cats,
) -> Router {
    with_sqlx::routes(people)
        .merge(with_rusqlite::routes(pets))
        .merge(with_sea_orm::routes(cats))
        .layer(ApmLayer::new(agent))
}

/// Has the crate `tracing` tell the agent of its spans and events, sqlx's queries among them. It is for the whole
/// process: sqlx asks SQLite on threads of its own.
///
/// # Errors
/// When `tracing` has a subscriber already.
pub fn watch_tracing() -> Result<(), TryInitError> {
    let subscriber = tracing_subscriber::registry().with(apm_agent::tracing::layer());
    subscriber.try_init()
}
