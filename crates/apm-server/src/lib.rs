//! The embedded APM server: Elastic's intake v2, stored in SQLite, analysed in SQL, shown on pages.
//!
//! Floors, from the top: `ui` and `http` → `analytics` → `store` → `event`; `intake` → `event`, `store`.
//! No arrow runs back up.

pub mod agent_config;
pub mod analytics;
pub mod api;
pub mod api_keys;
mod config;
mod csv;
pub mod export;
mod front;
pub mod generate;
mod http;
pub mod import;
pub mod insight;
mod listen;
mod pace;
pub mod remote;
mod route;
mod server;
mod tls;
pub mod ui;
mod watched;

pub use config::{BasePath, Config, Durability, Network, SecretToken, TlsFiles};
pub use insight::console;
pub use server::{Running, Server, StartError};
