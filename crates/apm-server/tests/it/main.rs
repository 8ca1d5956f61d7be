//! Tests of the server as its users see it.

mod analytics;
mod intake;
mod store;
mod support;
