//! The service of the article, in Rust: seven routes on actix-web, Diesel and SQLite, watched by `apm-agent`.
//!
//! [`routes::configure`] mounts all routes and is what the binary, the tests and the benches share;
//! [`service::Service`] is the service listening on a port. Nothing here knows the APM server: the two meet on the
//! wire, and only `main` starts both.

pub mod advise;
pub mod apikey;
pub mod backup;
pub mod check;
pub mod cli;
pub mod complete;
pub mod config_file;
pub mod db;
pub mod error;
pub mod health;
pub mod logging;
mod masked;
pub mod mcp;
pub mod people;
pub mod process;
pub mod remote;
pub mod routes;
pub mod schema;
pub mod send;
pub mod service;
pub mod show;
pub mod sourcemap;
pub mod sql;
pub mod strategy;
pub mod terminal;
pub mod upstream;
mod watch;
