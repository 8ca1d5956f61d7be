//! The agent as its users see it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod actix;
mod diesel;
mod spans;
mod support;
