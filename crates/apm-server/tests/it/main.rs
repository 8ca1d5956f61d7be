//! Tests of the server as its users see it.

mod analytics;
mod store;
mod support;
