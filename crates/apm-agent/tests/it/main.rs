//! The agent as its users see it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod actix;
mod awc;
mod canary;
mod contexts;
mod diesel;
mod examples;
mod faults;
mod features;
mod floors;
mod hostile;
mod log;
mod metrics;
mod panics;
mod proxies;
mod redaction;
mod refusals;
mod reqwest;
mod soak;
mod spans;
mod support;
mod switches;
mod testing_sql;
mod third_parties;
mod tls;
mod tower;
mod tracing;
mod user_code;
