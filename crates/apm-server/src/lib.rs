//! The embedded APM server: takes events, analyses them in SQL, and shows them on pages.
//!
//! Floors, from the top: `server` → `grpc` → `http` → `ui`, `api`, `mcp` → `answers` → `insight` → `analytics`. Below
//! this crate are `apm-intake`, `kql` and `apm-store`. No arrow runs back up; the test `floors` of the workspace holds
//! that.

pub mod agent_config;
pub mod analytics;
mod answers;
pub mod api;
pub mod api_keys;
mod config;
mod connections;
mod csv;
mod dashboard;
pub mod export;
mod front;
pub mod generate;
mod grpc;
mod http;
pub mod import;
pub mod insight;
mod jaeger;
mod known_tags;
mod listen;
mod mcp;
mod otlp;
mod pace;
mod pins;
mod random;
pub mod remote;
mod route;
mod server;
mod shared;
mod sort_rows;
pub mod source_maps;
pub mod terminal;
mod tls;
mod ui;
mod unread;
mod watched;

/// The options of the output to Elasticsearch or OpenSearch.
pub mod output {
    pub use apm_output::{Auth, Config, ConfigError, host, without_user};
}

pub use answers::logs::message as log_message;
pub use apm_store::TailSampling;
pub use config::{
    BasePath, ClientAddress, Config, Durability, Network, Rum, SecretToken, TlsFiles,
};
pub use insight::console;
pub use server::{Receivers, Running, Server, StartError};

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
