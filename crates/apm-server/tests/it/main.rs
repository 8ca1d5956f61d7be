//! Tests of the server as its users see it.

mod store;
mod support;
